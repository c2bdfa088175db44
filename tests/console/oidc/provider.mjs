// A real identity provider for tests: `node provider.mjs CONSOLE-ADDRESS`, then it prints its issuer.
// Anybody signs in with any password; who somebody is says the login.

import { createServer } from "node:http";
import { generateKeyPairSync } from "node:crypto";
import Provider from "oidc-provider";

const console_ = process.argv[2];

const people = {
  "aida": { groups: ["exchange-operators", "kitchen"], name: "Аида Асанова" },
  "bakyt": { groups: ["exchange-auditors"], name: "Bakyt" },
  "cholpon": { groups: ["body-administrators"], body: "minjust", name: "Cholpon" },
  "daniyar": { groups: ["kitchen"], name: "Daniyar" },
};

const key = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "jwk" });

const configuration = {
  clients: [{
    client_id: "exchange-console",
    client_secret: "not very secret/+ but long enough",
    redirect_uris: [`${console_}/sign-in/provider/done`],
    post_logout_redirect_uris: [`${console_}/sign-in`],
    id_token_signed_response_alg: "ES256",
  }],
  jwks: { keys: [{ ...key, use: "sig", alg: "ES256", kid: "first" }] },
  cookies: { keys: ["of a test"] },
  claims: { openid: ["sub"], profile: ["name"], exchange: ["groups", "body"] },
  scopes: ["openid", "profile", "exchange"],
  pkce: { required: () => true },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...people[id] }) }),
};

const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, configuration);
  server.on("request", provider.callback());
  process.stdout.write(`${issuer}\n`);
});
process.stdin.on("end", () => process.exit());  // with whoever started it
process.stdin.resume();
