// Letters by the agent's HTTP API, with Java 17 or later and no library.
//
//     java Letters.java send MESSAGE-ID RECIPIENT TITLE FILE    send a letter, wait until it is delivered
//     java Letters.java receive FOLDER                          take in the letters that wait, register each
//
// The agent's address, the body and its token come from the environment: EXCHANGE_API, EXCHANGE_BODY,
// EXCHANGE_TOKEN. Your system has a JSON library: use that where this uses patterns.

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

public class Letters {
    static final String BODY = System.getenv("EXCHANGE_API") + "/v1/bodies/" + System.getenv("EXCHANGE_BODY");
    static final HttpClient CLIENT = HttpClient.newHttpClient();

    public static void main(String[] arguments) throws Exception {
        if (arguments[0].equals("send")) {
            send(arguments[1], arguments[2], arguments[3], Path.of(arguments[4]));
        } else {
            receive(Path.of(arguments[1]));
        }
    }

    // Repeated after a crash, with the same message id and file, it sends nothing twice.
    static void send(String messageId, String recipient, String title, Path file) throws Exception {
        String content = Base64.getEncoder().encodeToString(Files.readAllBytes(file));
        call("/letters", """
            {"message_id": %s, "recipients": [%s], "title": %s, "files": [{"name": %s, "content": "%s"}]}
            """.formatted(json(messageId), json(recipient), json(title), json(file.getFileName().toString()), content));
        String cursor = "0";
        Pattern receipt = Pattern.compile("\"event\":\"delivered\"[^{}]*\"message_id\":" + Pattern.quote(json(messageId)));
        while (true) {
            String page = text(call("/receipts?after=" + cursor + "&wait=30", null));
            if (receipt.matcher(page).find()) {
                break;
            }
            cursor = first(page, "\"cursor\":(\\d+)");
        }
        System.out.println(messageId + " delivered");
    }

    // The cursor is kept beside the letters: what was taken in is not asked for again.
    static void receive(Path folder) throws Exception {
        Path kept = folder.resolve("cursor");
        String cursor = Files.exists(kept) ? Files.readString(kept) : "0";
        String page = text(call("/inbox?after=" + cursor + "&wait=30", null));
        Matcher letter = Pattern.compile("\"id\":\"([0-9a-f]{64})\",\"sender\":\"([^\"]*)\".*?\"files\":(\\d+)").matcher(page);
        while (letter.find()) {
            String id = letter.group(1);
            Files.write(folder.resolve(id + ".json"), call("/inbox/" + id, null));
            for (int number = 0; number < Integer.parseInt(letter.group(3)); number++) {
                Files.write(folder.resolve(id + "." + number), call("/inbox/" + id + "/files/" + number, null));
            }
            call("/inbox/" + id + "/receipts", """
                {"message_type": "receipt", "event": "registered", "event_time": "%s", "reg_number": "%s", "reg_date": "%s"}
                """.formatted(Instant.now(), "IN-" + id.substring(0, 8), LocalDate.now()));
            System.out.println(id + " from " + letter.group(2) + " registered");
        }
        Files.writeString(kept, first(page, "\"cursor\":(\\d+)"));
    }

    static byte[] call(String path, String document) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(BODY + path))
            .timeout(Duration.ofSeconds(90))
            .header("Authorization", "Bearer " + System.getenv("EXCHANGE_TOKEN"));
        if (document != null) {
            request.header("Content-Type", "application/json").POST(HttpRequest.BodyPublishers.ofString(document));
        }
        HttpResponse<byte[]> answer = CLIENT.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
        if (answer.statusCode() >= 300) {
            System.err.println(text(answer.body()));
            System.exit(1);
        }
        return answer.body();
    }

    static String text(byte[] data) {
        return new String(data, java.nio.charset.StandardCharsets.UTF_8);
    }

    static String first(String text, String pattern) {
        Matcher found = Pattern.compile(pattern).matcher(text);
        found.find();
        return found.group(1);
    }

    static String json(String text) {
        StringBuilder quoted = new StringBuilder("\"");
        for (char each : text.toCharArray()) {
            quoted.append(each < ' ' || each == '"' || each == '\\' ? String.format("\\u%04x", (int) each) : each);
        }
        return quoted.append('"').toString();
    }
}
