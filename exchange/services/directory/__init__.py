"""The directory on its way: from its folder to Kafka, and from Kafka to every reader's own copy.

service     keeps the newest version in force and on Kafka; one process, which has the clock's key
metrics     until when the certificates that it lists are good
follower    takes versions from Kafka into a reader's folder; a part of every process that reads
records     files of the directory as records of the topic
"""
