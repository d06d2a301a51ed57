// A strict identity provider (node oidc-provider) for test_node.py: whoever comes is signed in.
// Arguments: its port, and the front's public address.
import { createServer } from "node:http";
import { generateKeyPairSync } from "node:crypto";
import { Provider } from "oidc-provider";

const [port, front] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const key = { ...privateKey.export({ format: "jwk" }), use: "sig", alg: "RS256", kid: "node" };

const provider = new Provider(issuer, {
  jwks: { keys: [key] },
  cookies: { keys: ["nobody's"] },
  // Claims of a scope stand in the id_token, as hospitals' providers have it.
  conformIdTokenClaims: false,
  claims: { openid: ["sub", "groups"], profile: ["name", "preferred_username"] },
  scopes: ["openid", "profile"],
  pkce: { required: () => true },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({
      sub: id, groups: ["dxa-clinicians"], name: "Ann Clinician", preferred_username: id,
    }),
  }),
  clients: [
    {
      client_id: "osteoserve",
      client_secret: "s3cr3t %&",
      redirect_uris: [`${front}/auth/oidc/callback`],
      post_logout_redirect_uris: [`${front}/signin`],
      response_types: ["code"],
      grant_types: ["authorization_code"],
      backchannel_logout_uri: `${front}/auth/oidc/logout`,
      backchannel_logout_session_required: true,
    },
    {
      client_id: "pacs-router",
      client_secret: "router",
      redirect_uris: [],
      response_types: [],
      grant_types: ["client_credentials"],
    },
  ],
  features: {
    devInteractions: { enabled: false },
    backchannelLogout: { enabled: true },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: (_, client) => (client.clientId === "pacs-router" ? "urn:dxa-api" : undefined),
      getResourceServerInfo: () => ({
        scope: "", audience: "dxa-api", accessTokenFormat: "jwt", accessTokenTTL: 300,
        jwt: { sign: { alg: "RS256" } },
      }),
    },
  },
  // It sends nothing to loopback by itself, where the front is here.
  fetch: (url, { method, headers, body, redirect, signal }) =>
    fetch(url, { method, headers, body, redirect, signal }),
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
});

async function interact(request, response) {
  const { prompt, params, session } = await provider.interactionDetails(request, response);
  if (prompt.name === "login") {
    const login = { login: { accountId: "ann" } };
    return provider.interactionFinished(request, response, login);
  }
  const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  const consent = { consent: { grantId: await grant.save() } };
  return provider.interactionFinished(request, response, consent, { mergeWithLastSubmission: true });
}

const answer = provider.callback();
createServer((request, response) => {
  if (!request.url.startsWith("/interaction/")) return answer(request, response);
  return interact(request, response).catch((error) => {
    response.statusCode = 500;
    response.end(String(error));
  });
}).listen(Number(port), "127.0.0.1", () => console.log("listening"));
