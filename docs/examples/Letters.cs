// Letters by the agent's HTTP API, with .NET 10 or later and no package.
//
//     dotnet run Letters.cs send MESSAGE-ID RECIPIENT TITLE FILE    send a letter, wait until it is delivered
//     dotnet run Letters.cs receive FOLDER                          take in the letters that wait, register each
//
// The agent's address, the body and its token come from the environment: EXCHANGE_API, EXCHANGE_BODY,
// EXCHANGE_TOKEN.

using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;

var client = new HttpClient { Timeout = TimeSpan.FromSeconds(90) };
client.DefaultRequestHeaders.Authorization =
    new AuthenticationHeaderValue("Bearer", Environment.GetEnvironmentVariable("EXCHANGE_TOKEN"));
var body = Environment.GetEnvironmentVariable("EXCHANGE_API") + "/v1/bodies/"
    + Environment.GetEnvironmentVariable("EXCHANGE_BODY");

if (args[0] == "send") await Send(args[1], args[2], args[3], args[4]);
else await Receive(args[1]);

// Repeated after a crash, with the same message id and file, it sends nothing twice.
async Task Send(string messageId, string recipient, string title, string file)
{
    var content = Convert.ToBase64String(await File.ReadAllBytesAsync(file));
    await Call("/letters", new JsonObject
    {
        ["message_id"] = messageId,
        ["recipients"] = new JsonArray(recipient),
        ["title"] = title,
        ["files"] = new JsonArray(new JsonObject { ["name"] = Path.GetFileName(file), ["content"] = content }),
    });
    long cursor = 0;
    for (var delivered = false; !delivered;)
    {
        var page = await Page($"/receipts?after={cursor}&wait=30");
        cursor = (long)page["cursor"]!;
        delivered = page["receipts"]!.AsArray().Any(
            receipt => (string)receipt!["message_id"]! == messageId && (string)receipt["event"]! == "delivered");
    }
    Console.WriteLine($"{messageId} delivered");
}

// The cursor is kept beside the letters: what was taken in is not asked for again.
async Task Receive(string folder)
{
    var kept = Path.Combine(folder, "cursor");
    var cursor = File.Exists(kept) ? await File.ReadAllTextAsync(kept) : "0";
    var page = await Page($"/inbox?after={cursor}&wait=30");
    foreach (var letter in page["letters"]!.AsArray())
    {
        var id = (string)letter!["id"]!;
        await File.WriteAllBytesAsync(Path.Combine(folder, $"{id}.json"), await Call($"/inbox/{id}"));
        for (var number = 0; number < (int)letter["files"]!; number++)
        {
            var file = await Call($"/inbox/{id}/files/{number}");
            await File.WriteAllBytesAsync(Path.Combine(folder, $"{id}.{number}"), file);
        }
        await Call($"/inbox/{id}/receipts", new JsonObject
        {
            ["message_type"] = "receipt",
            ["event"] = "registered",
            ["event_time"] = DateTime.UtcNow.ToString("o"),
            ["reg_number"] = $"IN-{id[..8]}",
            ["reg_date"] = DateTime.UtcNow.ToString("yyyy-MM-dd"),
        });
        Console.WriteLine($"{letter["title"]} from {letter["sender"]} registered");
    }
    await File.WriteAllTextAsync(kept, page["cursor"]!.ToString());
}

async Task<JsonNode> Page(string path) => JsonNode.Parse(await Call(path))!;

async Task<byte[]> Call(string path, JsonObject? document = null)
{
    using var answer = document is null
        ? await client.GetAsync(body + path)
        : await client.PostAsync(
            body + path, new StringContent(document.ToJsonString(), Encoding.UTF8, "application/json"));
    var content = await answer.Content.ReadAsByteArrayAsync();
    if (!answer.IsSuccessStatusCode)
    {
        Console.Error.WriteLine(Encoding.UTF8.GetString(content));
        Environment.Exit(1);
    }
    return content;
}
