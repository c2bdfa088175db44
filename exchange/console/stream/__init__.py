"""The stream of changes: what happens to deliveries, told to every open page as it happens (Server-Sent Events).

wanted      which changes somebody is told
messages    how they are told
hub         the one reader of each process, and those whom it tells
following   one client's stream: from where it stopped, without gap or repetition

A client's place is the vector of journal positions that it was told; each message carries it as its id. So a
client goes on exactly where it stopped, at any process, also after the tables were rebuilt.
"""
