// SPDX-License-Identifier: Apache-2.0
// A stand-in for the API while the page is being built: made-up events, no store, no security.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';

const N = Number(process.env.EVENTS || 200000);
const START = Date.UTC(2026, 4, 11, 6);
const STEP = 40_000;
const pick = (list, at) => list[Math.abs(Math.imul(at + 7, 2654435761) >> 8) % list.length];
const actors = [
  'arn:aws:sts::111122223333:assumed-role/web-tier/i-0a12b34c56d78e90f',
  'alice',
  'arn:aws:iam::111122223333:user/ci-deploy',
  'root',
  'www-data',
  '',
  'bob\u202egnp.exe',
  'arn:aws:iam::111122223333:user/backup',
];
const actions = [
  'GetCallerIdentity',
  'ListBuckets',
  'GetObject',
  'RunInstances',
  'AssumeRole',
  'ACCEPT',
  'REJECT',
  'sshd.accepted',
  'file.modified',
  'DescribeInstances',
];
const sources = [
  'aws.cloudtrail',
  'aws.cloudtrail',
  'aws.vpcflow',
  'linux.auth',
  'linux.filesystem',
  'linux.journal',
];
const ips = ['203.0.113.77', '198.51.100.4', '10.0.1.15', '10.0.1.22', '2001:db8::17', ''];
const hex = (n, len) =>
  Math.abs(Math.imul(n + 11, 40503))
    .toString(16)
    .padStart(len, 'a')
    .repeat(8)
    .slice(0, len);
const marks = new Map();
const comments = new Map();
let searches = [];
let preferences = {};
let signed = false;
function row(i) {
  const source = pick(sources, i),
    action = pick(actions, i * 3),
    actor = pick(actors, i * 5);
  const ns = String(BigInt(START + i * STEP + (i % 911)) * 1000000n + BigInt(i % 1000) * 1001n);
  const ms = new Date(START + i * STEP + (i % 911)).toISOString();
  const id = `${i.toString(16).padStart(8, '0')}${hex(i, 24)}`;
  const outcome = i % 7 === 0 ? 'failure' : i % 5 === 0 ? '' : 'success';
  const m = marks.get(id) || { starred: false, tags: [] };
  return {
    id,
    time: i % 5003 === 5002 ? null : ms.replace('Z', String(i % 1000).padStart(3, '0') + '000Z'),
    time_ns: ns,
    time_meaning: 'event',
    source,
    source_version: '1',
    provider: source.startsWith('aws') ? 'aws' : 'linux',
    account: source.startsWith('aws') ? '111122223333' : '',
    region: source.startsWith('aws') ? pick(['eu-central-1', 'us-east-1'], i) : '',
    host: source.startsWith('linux') ? 'web-01' : '',
    actor,
    actor_kind: actor.startsWith('arn') ? 'AssumedRole' : 'user',
    session: 'ASIAEXAMPLE' + (i % 9),
    action,
    outcome,
    error: outcome === 'failure' ? 'AccessDenied' : '',
    resource: pick(
      [
        'arn:aws:s3:::customer-exports',
        'i-0a12b34c56d78e90f',
        '/etc/shadow',
        '/var/www/html/up.php',
      ],
      i,
    ),
    src_ip: pick(ips, i),
    src_port: 40000 + (i % 999),
    dst_ip: '',
    dst_port: 443,
    process: '',
    file: '',
    hash: '',
    domain: '',
    url: '',
    message: `${actor || 'someone'} did ${action} on ${pick(['customer-exports', 'web-01', '/etc/shadow'], i)} from ${pick(ips, i) || 'console'}${i % 97 === 0 ? ' \u001b[31m<script>alert(1)</script>' : ''}`,
    evidence: hex(i % 5, 64),
    locator: `Records[${i}]`,
    problem: i % 4001 === 0 ? 'time is out of range' : '',
    tags: m.tags,
    starred: m.starred,
    comments: (comments.get(id) || []).length,
  };
}
const index = (id) => parseInt(id.slice(0, 8), 16);
function matcher(q) {
  const tests = [];
  const text = (q || '').replace(
    /(NOT\s+)?([a-z_.]+):(?:"((?:[^"\\]|\\.)*)"|\(([^)]*)\)|(\S+))/g,
    (_, not, field, phrase, group, word) => {
      const values = group
        ? [...group.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map((m) => m[1])
        : [phrase ?? word];
      tests.push((r) => {
        const hit = values.some((v) => {
          v = v.replace(/\\(.)/g, '$1');
          return v === '*'
            ? !!r[field]
            : field === 'tag'
              ? r.tags.includes(v)
              : field === 'starred'
                ? r.starred
                : String(r[field] ?? '').toLowerCase() === v.toLowerCase();
        });
        return not ? !hit : hit;
      });
      return ' ';
    },
  );
  for (const w of text.split(/[\s()]+/).filter((w) => w && !/^(AND|OR|NOT)$/.test(w)))
    tests.push((r) => r.message.toLowerCase().includes(w.toLowerCase().replaceAll('"', '')));
  return tests.length ? (r) => tests.every((t) => t(r)) : null;
}
const cache = new Map();
function selected(p) {
  const key = `${p.get('q')}|${p.get('from')}|${p.get('to')}`;
  const lo = p.get('from')
    ? Math.max(0, Math.floor((Date.parse(p.get('from')) - START) / STEP))
    : 0;
  const hi = p.get('to') ? Math.min(N, Math.ceil((Date.parse(p.get('to')) - START) / STEP)) : N;
  const match = matcher(p.get('q'));
  if (!match) return { n: Math.max(0, hi - lo), at: (k) => lo + k };
  if (!cache.has(key)) {
    const list = [];
    for (let i = lo; i < hi; i++) if (match(row(i))) list.push(i);
    cache.clear();
    cache.set(key, list);
  }
  const list = cache.get(key);
  return { n: list.length, at: (k) => list[k] };
}
const bad = (message, position, length, suggestion = '') => ({
  type: 'about:blank',
  title: 'Bad query',
  status: 400,
  detail: message,
  message,
  advice: suggestion ? `Did you mean ${suggestion}?` : '',
  position,
  length,
  suggestion,
  request_id: 'req-1',
});
function check(q) {
  const m = /([a-z_]+):/.exec(q || '');
  if (m && !(m[1] in row(0)) && !['tag', 'starred', 'raw', 'case', '_exists_'].includes(m[1]))
    return bad(
      `There is no field ${m[1]}.`,
      m.index,
      m[1].length,
      m[1].startsWith('sr') ? 'src_ip' : 'actor',
    );
  if (((q || '').match(/"/g) || []).length % 2)
    return bad('A quote is not closed.', q.lastIndexOf('"'), 1);
  return null;
}
const cases = [
  {
    name: 'harbour',
    title: 'Stolen instance credentials',
    created: '2026-11-20T08:00:00Z',
    simulated: true,
    events: N,
    evidence: 5,
    bytes: 48_300_000_000,
    problems: 12,
    first: row(0).time,
    last: row(N - 1).time,
    sources: [
      { source: 'aws.cloudtrail', count: Math.floor(N / 3) },
      { source: 'aws.vpcflow', count: Math.floor(N / 6) },
      { source: 'linux.auth', count: Math.floor(N / 6) },
      { source: 'linux.filesystem', count: Math.floor(N / 6) },
    ],
    jobs_running: 1,
    failed: [
      { id: hex(3, 64), name: 'memory.dump', reason: 'The worker passed its memory limit twice.' },
    ],
  },
  {
    name: 'empty',
    title: '',
    created: '2026-11-22T08:00:00Z',
    simulated: false,
    events: 0,
    evidence: 0,
    bytes: 0,
    problems: 0,
    first: null,
    last: null,
    sources: [],
    jobs_running: 0,
    failed: [],
  },
];
const states = ['parsed', 'parsed', 'parsing', 'failed', 'archive', 'not parsed', 'queued'];
const evidence = Array.from({ length: 60 }, (_, i) => ({
  id: hex(i, 64),
  name: pick(
    [
      '/evidence/cloudtrail/2026/05/11/111122223333_CloudTrail_eu-central-1_20260511T0605Z.json.gz',
      '/evidence/web-01.qcow2',
      'flow.log.gz',
      'memory.dump',
    ],
    i,
  ),
  parent: i % 4 === 1 ? hex(i - 1, 64) : null,
  member: i % 4 === 1 ? 'AWSLogs/x.json' : null,
  size: 1024 * (i + 1) ** 3,
  kind: pick(['gzip', 'disk image', 'JSON lines', 'unknown'], i),
  parser: i % 7 === 5 ? null : 'aws.cloudtrail',
  state: states[i % 7],
  reason: i % 7 === 3 ? 'The worker passed its memory limit twice.' : '',
  seen: i * 1000 + 2,
  rows: i * 1000,
  problems: 2,
  sha256: hex(i, 64),
  blake2b: hex(i + 1, 64),
  added: '2026-11-20T08:01:00Z',
  added_by: 'alice',
  confinement: 'seccomp, rlimits',
}));
const custody = Array.from({ length: 240 }, (_, i) => ({
  sequence: 240 - i,
  time: new Date(Date.UTC(2026, 10, 20, 9) - i * 60000).toISOString(),
  actor: pick(['alice', 'worker'], i),
  verb: pick(['acquired', 'opened', 'derived', 'verified', 'exported'], i),
  evidence: hex(i % 9, 64),
  name: 'flow.log.gz',
  case: 'harbour',
  reason: pick(['adding evidence', 'parsing', 'proof of a row', 'asked by the court'], i),
  details: { size: '4096', sha256: hex(i % 9, 64) },
  previous: hex(i + 1, 64),
  hash: hex(i, 64),
}));
let tick = 0;
const progress = () => {
  tick = (tick + 3) % 100;
  return [
    {
      job: 'j1',
      what: 'web-01.qcow2',
      stage: 'file-system timeline',
      done: tick * 1000,
      total: 100000,
      unit: 'records',
      rate: 4100,
      left_seconds: (100 - tick) / 4,
      state: 'running',
      log: ['opened web-01.qcow2', 'found 2 partitions'],
    },
  ];
};
const columns = Object.keys(row(0)).filter(
  (c) => !['time_ns', 'tags', 'starred', 'comments'].includes(c),
);
const facetFields = [
  'source',
  'provider',
  'account',
  'region',
  'host',
  'actor',
  'action',
  'outcome',
  'error',
  'resource',
  'src_ip',
  'dst_ip',
];
const json = (res, body, status = 200) => {
  res.writeHead(status, {
    'content-type': status >= 400 ? 'application/problem+json' : 'application/json',
  });
  res.end(JSON.stringify(body));
};
createServer(async (req, res) => {
  const url = new URL(req.url, 'http://x');
  const p = url.searchParams;
  const path = url.pathname;
  let body = '';
  if (req.method !== 'GET') for await (const c of req) body += c.length < 1e6 ? c : '';
  const data = () => JSON.parse(body || '{}');
  if (!path.startsWith('/api/')) {
    const file = path.includes('.') ? path : '/index.html';
    try {
      const b = await readFile(new URL(`../../src/locard/web${file}`, import.meta.url));
      res.writeHead(200, {
        'content-type':
          { html: 'text/html', js: 'text/javascript', css: 'text/css', svg: 'image/svg+xml' }[
            file.split('.').pop()
          ] || 'application/octet-stream',
        'content-security-policy':
          "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'",
      });
      return res.end(b);
    } catch {
      return json(res, { title: 'Not found', status: 404, detail: path }, 404);
    }
  }
  const parts = path.split('/').slice(2).map(decodeURIComponent);
  const who = { username: 'alice', name: 'Alice', roles: ['admin'] };
  if (parts[0] === 'session') {
    if (req.method === 'GET')
      return signed
        ? json(res, who)
        : json(res, { title: 'Sign in', status: 401, detail: 'Nobody is signed in.' }, 401);
    if (req.method === 'DELETE') {
      signed = false;
      res.writeHead(204);
      return res.end();
    }
    if (parts[1] !== 'link' && data().password !== 'secret')
      return json(res, { title: 'Denied', status: 401, detail: 'Name or password is wrong.' }, 401);
    signed = true;
    res.writeHead(204);
    return res.end();
  }
  if (!signed)
    return json(res, { title: 'Sign in', status: 401, detail: 'Nobody is signed in.' }, 401);
  if (parts[0] === 'about') return json(res, { version: '0.1.0', confinement: 'seccomp, rlimits' });
  if (parts[0] === 'fields')
    return json(
      res,
      columns.map((name) => ({
        name,
        kind: 'word',
        title: name,
        facet: facetFields.includes(name),
        query: true,
      })),
    );
  if (parts[0] === 'query') {
    const b = check(data().q);
    return json(res, b ? { ok: false, ...b } : { ok: true });
  }
  if (parts[0] === 'tokens')
    return json(
      res,
      req.method === 'POST'
        ? { id: 2, name: data().name, token: 'locard_abcdef0123456789' }
        : [
            {
              id: 1,
              name: 'pipeline',
              created: '2026-11-01T00:00:00Z',
              expires: '2027-11-01T00:00:00Z',
            },
          ],
    );
  if (parts[0] === 'users') {
    if (parts[2] === 'preferences') {
      if (req.method === 'PUT') preferences = data();
      return json(res, preferences);
    }
    return json(res, [{ ...who, created: '2026-11-01T00:00:00Z' }]);
  }
  if (parts[0] !== 'cases')
    return json(res, { title: 'Not found', status: 404, detail: path }, 404);
  if (parts.length === 1) {
    if (req.method === 'POST') {
      const d = data();
      cases.push({ ...cases[1], name: d.name, title: d.title });
      return json(res, cases.at(-1), 201);
    }
    return json(res, cases);
  }
  const kase = cases.find((c) => c.name === parts[1]);
  if (!kase)
    return json(
      res,
      {
        title: 'Not found',
        status: 404,
        detail: `There is no case ${parts[1]}.`,
        advice: 'Look at the list of cases.',
        request_id: 'req-404',
      },
      404,
    );
  const empty = kase.events === 0;
  const [, , what, a, b] = parts;
  if (!what) return json(res, kase);
  if (what === 'evidence') {
    if (req.method === 'POST') return json(res, { job: 'j2' }, 202);
    if (b === 'custody') return json(res, custody.slice(0, 4));
    if (a)
      return json(
        res,
        evidence.find((e) => e.id === a),
      );
    return json(res, {
      evidence: empty
        ? []
        : evidence
            .filter(
              (e) =>
                (!p.get('state') || e.state === p.get('state')) &&
                (!p.get('q') || e.name.includes(p.get('q'))),
            )
            .slice(
              Number(p.get('offset') || 0),
              Number(p.get('offset') || 0) + Number(p.get('limit') || 100),
            ),
      total: empty ? 0 : evidence.length,
    });
  }
  if (what === 'custody')
    return json(
      res,
      empty
        ? []
        : custody
            .filter((e) => !p.get('before') || e.sequence < Number(p.get('before')))
            .slice(0, Number(p.get('limit') || 100)),
    );
  if (what === 'progress') {
    if (a === 'stream') {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      const t = setInterval(
        () => res.write(`data: ${JSON.stringify(empty ? [] : progress())}\n\n`),
        500,
      );
      req.on('close', () => clearInterval(t));
      return;
    }
    return json(res, empty ? [] : progress());
  }
  if (what === 'tags') {
    const t = {};
    for (const m of marks.values()) for (const tag of m.tags) t[tag] = (t[tag] || 0) + 1;
    return json(
      res,
      Object.entries(t).map(([tag, count]) => ({ tag, count })),
    );
  }
  if (what === 'marks') {
    const d = data();
    for (const id of d.ids) {
      const m = marks.get(id) || { starred: false, tags: [] };
      if (d.star !== undefined) m.starred = d.star;
      m.tags = [...new Set([...m.tags, ...(d.add_tags || [])])].filter(
        (t) => !(d.remove_tags || []).includes(t),
      );
      marks.set(id, m);
    }
    return json(res, {
      changed: d.ids.length,
      undo: {
        ids: d.ids,
        ...(d.star === undefined ? {} : { star: !d.star }),
        add_tags: d.remove_tags,
        remove_tags: d.add_tags,
      },
    });
  }
  if (what === 'searches') {
    if (req.method === 'POST') {
      searches.push({ ...data(), n: searches.length + 1 });
      return json(res, searches.at(-1), 201);
    }
    if (req.method === 'DELETE') {
      searches = searches.filter((s) => s.n !== Number(a));
      res.writeHead(204);
      return res.end();
    }
    return json(res, searches);
  }
  if (what === 'values') {
    const n = {};
    for (let i = 0; i < Math.min(N, 3000); i++) {
      const v = String(row(i)[p.get('field')] ?? '');
      if (v && v.toLowerCase().includes((p.get('prefix') || '').toLowerCase()))
        n[v] = (n[v] || 0) + 1;
    }
    return json(
      res,
      Object.entries(n)
        .map(([value, count]) => ({ value, count }))
        .sort((x, y) => y.count - x.count)
        .slice(0, 12),
    );
  }
  if (what === 'events') {
    const wrong = check(p.get('q'));
    if (wrong) return json(res, wrong, 400);
    const s = empty ? { n: 0, at: (k) => k } : selected(p);
    if (!a) {
      const limit = Number(p.get('limit') || 200);
      const offset = p.get('cursor') ? Number(p.get('cursor')) : Number(p.get('offset') || 0);
      const events = [];
      for (let k = offset; k < Math.min(s.n, offset + limit); k++)
        events.push(row(s.at(p.get('order') === 'desc' ? s.n - 1 - k : k)));
      await new Promise((r) => setTimeout(r, Number(process.env.SLOW || 30)));
      return json(res, {
        events,
        next: offset + limit < s.n ? String(offset + limit) : null,
        previous: null,
        notes: [],
        took_ms: 12,
      });
    }
    if (a === 'count') return json(res, { count: s.n, took_ms: 4, notes: [] });
    if (a === 'histogram') {
      const B = Number(p.get('buckets') || 100);
      if (!s.n) return json(res, { start: null, width_ms: 1000, buckets: [], series: {} });
      const lo = p.get('from') ? Date.parse(p.get('from')) : START;
      const hi = p.get('to') ? Date.parse(p.get('to')) : START + N * STEP;
      const w = Math.ceil((hi - lo) / B);
      const series = {};
      const stride = Math.max(1, Math.floor(s.n / 20000));
      for (let k = 0; k < s.n; k += stride) {
        const r = row(s.at(k));
        const t = START + s.at(k) * STEP;
        const at = Math.min(B - 1, Math.floor((t - lo) / w));
        if (at < 0) continue;
        series[r.source] ??= new Array(B).fill(0);
        series[r.source][at] += Math.round(stride * (1 + 3 * Math.abs(Math.sin(at / 7))));
      }
      return json(res, {
        start: new Date(lo).toISOString(),
        width_ms: w,
        buckets: Array.from({ length: B }, (_, i) => new Date(lo + i * w).toISOString()),
        series,
      });
    }
    if (a === 'facets') {
      const out = {};
      const stride = Math.max(1, Math.floor(s.n / 5000));
      for (const f of (p.get('fields') || '').split(',')) {
        const n = {};
        let none = 0;
        for (let k = 0; k < s.n; k += stride) {
          const v = String(row(s.at(k))[f] ?? '');
          if (v) n[v] = (n[v] || 0) + stride;
          else none += stride;
        }
        const all = Object.entries(n)
          .map(([value, count]) => ({ value, count }))
          .sort((x, y) => y.count - x.count);
        const size = Number(p.get('size') || 6);
        out[f] = {
          values: all.slice(0, size),
          other: all.slice(size).reduce((t, v) => t + v.count, 0),
          empty: none,
        };
      }
      return json(res, out);
    }
    if (a === 'export') {
      res.writeHead(200, { 'content-disposition': 'attachment; filename=events.csv' });
      return res.end('time,message\n');
    }
    const i = index(a);
    const r = row(i);
    if (b === 'context') {
      const events = [];
      for (let k = Math.max(0, i - 8); k < Math.min(N, i + 9); k++) events.push(row(k));
      return json(res, { events, index: Math.min(8, i) });
    }
    if (b === 'prove') {
      await new Promise((z) => setTimeout(z, 400));
      return json(res, {
        passed: i % 3 !== 0,
        steps: [
          { name: 'The ledger is unbroken', passed: true, detail: '240 entries, last hash 3fa9…' },
          { name: 'Evidence is what was recorded', passed: true, detail: `SHA-256 ${r.evidence}` },
          { name: 'The record is where the locator says', passed: true, detail: r.locator },
          {
            name: 'Parsed again, it gives this row',
            passed: i % 3 !== 0,
            detail:
              i % 3 ? 'all 24 columns are equal' : 'actor: alice in the store, bob in the evidence',
          },
        ],
      });
    }
    if (b === 'comments') {
      if (req.method === 'POST') {
        const list = comments.get(a) || [];
        list.push({
          n: list.length + 1,
          author: 'alice',
          text: data().text,
          time: new Date().toISOString(),
          own: true,
        });
        comments.set(a, list);
      }
      if (req.method === 'DELETE')
        comments.set(
          a,
          (comments.get(a) || []).filter((c) => c.n !== Number(parts[5])),
        );
      return json(res, comments.get(a) || []);
    }
    return json(res, {
      ...r,
      attributes: {
        userAgent: 'aws-cli/2.15.0 Python/3.11',
        'requestParameters.bucketName': 'customer-exports',
        eventVersion: '1.09',
        note: 'hidden\u200btext and \u202ereversed',
        mfaAuthenticated: 'false',
      },
      raw: JSON.stringify({
        eventVersion: '1.09',
        userIdentity: { type: r.actor_kind, arn: r.actor },
        eventTime: r.time,
        eventName: r.action,
        sourceIPAddress: r.src_ip,
        requestParameters: { bucketName: 'customer-exports', big: 1 },
        responseElements: null,
        html: '<img src=x onerror=alert(1)>',
      }).replace('"big":1', '"big":12345678901234567890'),
      raw_base64: null,
      provenance: {
        evidence: r.evidence,
        name: '/evidence/cloudtrail/111122223333_CloudTrail.json.gz',
        parents: [{ id: hex(1, 64), name: 'trail.zip' }],
        locator: r.locator,
        sha256: r.evidence,
        custody_sequence: 17,
        sightings: [{ evidence: hex(8, 64), name: 'LookupEvents.jsonl', locator: 'line 812' }],
      },
    });
  }
  return json(res, { title: 'Not found', status: 404, detail: path }, 404);
}).listen(Number(process.env.PORT || 8765), '127.0.0.1');
