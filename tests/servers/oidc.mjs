// SPDX-License-Identifier: Apache-2.0
// An OpenID provider for tests: node-oidc-provider with the people that the tests name.
//
//     node oidc.mjs '{"redirects": ["http://127.0.0.1:1/sign-in/return"]}'
//
// It prints its issuer, then serves until it is ended. Two further addresses are for tests alone:
// `/people` takes the claims of people by their login, and `/fault` a way in which the next ID
// tokens are wrong, such as a provider gone bad would make them.
import { createServer } from 'node:http';
import { decodeJwt, exportJWK, generateKeyPair, SignJWT } from 'jose';
import Provider from 'oidc-provider';

const asked = JSON.parse(process.argv[2]);
const pair = () => generateKeyPair('RS256', { extractable: true });
const own = await pair();
const stranger = await pair();
const key = { ...(await exportJWK(own.privateKey)), kid: 'own', use: 'sig', alg: 'RS256' };
const sign = (claims, by) =>
  new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'own' }).sign(by);

const people = {};
let fault = '';

const server = createServer((request, response) => handle(request, response));
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'locard',
      client_secret: 'a secret that nobody may see',
      redirect_uris: asked.redirects,
      token_endpoint_auth_method: 'client_secret_basic',
    },
    {
      client_id: 'public',
      redirect_uris: asked.redirects,
      token_endpoint_auth_method: 'none',
    },
  ],
  claims: {
    openid: ['sub'],
    profile: ['name', 'preferred_username'],
    email: ['email', 'email_verified'],
    groups: ['groups'],
  },
  scopes: ['openid', 'profile', 'email', 'groups'],
  pkce: { required: () => true },
  cookies: { keys: ['for tests'] },
  jwks: { keys: [key] },
  findAccount: (_context, login) => ({
    accountId: login,
    claims: () => ({ sub: login, preferred_username: login, ...people[login] }),
  }),
});

// What a provider gone bad would say in place of the ID token.
const FAULTS = {
  nonce: (claims) => sign({ ...claims, nonce: 'of another sign-in' }, own.privateKey),
  audience: (claims) => sign({ ...claims, aud: 'another client' }, own.privateKey),
  issuer: (claims) => sign({ ...claims, iss: 'http://127.0.0.1:1' }, own.privateKey),
  expired: (claims) => sign({ ...claims, exp: claims.iat - 3600 }, own.privateKey),
  signature: (claims) => sign(claims, stranger.privateKey),
  at_hash: (claims) => sign({ ...claims, at_hash: 'AAAAAAAAAAAAAAAAAAAAAA' }, own.privateKey),
  unsigned: (claims) => {
    const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    return `${part({ alg: 'none' })}.${part(claims)}.`;
  },
  shared: (claims) =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode('a secret that nobody may see')),
  missing: () => '',
};

provider.use(async (context, next) => {
  await next();
  if (FAULTS[fault] && context.path === '/token' && context.body?.id_token) {
    context.body = {
      ...context.body,
      id_token: await FAULTS[fault](decodeJwt(context.body.id_token)),
    };
  }
  if (fault === 'userinfo' && context.path === '/me') context.body = { sub: 'somebody else' };
});

const serve = provider.callback();

async function handle(request, response) {
  if (request.method === 'PUT') {
    let text = '';
    for await (const chunk of request) text += chunk;
    const given = JSON.parse(text);
    if (request.url === '/people') Object.assign(people, given);
    else if (request.url === '/fault') fault = given;
    response.statusCode = 204;
    response.end();
    return;
  }
  serve(request, response);
}

console.log(issuer);
