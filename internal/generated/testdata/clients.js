// Serialises and stores as Node applications do; requests and answers as in clients.py.
const readline = require('node:readline');
const zlib = require('node:zlib');
const crypto = require('node:crypto');

const socket = process.argv[2];

const steps = {
  json: (v) => Buffer.from(JSON.stringify(v)),
  'json-json': (v) => Buffer.from(JSON.stringify({ event: 'saved', body: JSON.stringify(v) })),
  msgpack: (v) => require('msgpackr').pack(v),
  gzip: (v) => zlib.gzipSync(v),
  zlib: (v) => zlib.deflateSync(v),
  brotli: (v) => zlib.brotliCompressSync(v),
  base64: (v) => Buffer.from(v.toString('base64')),
  base64url: (v) => Buffer.from(v.toString('base64url')),
  buffer: (v) => Buffer.from(JSON.stringify({ at: 1, payload: v.toString('base64') })),
};

let express, queue;

const stores = {
  async express(doc) {
    if (!express) {
      const session = require('express-session');
      const { RedisStore } = require('connect-redis');
      const client = require('redis').createClient({ socket: { path: socket } });
      await client.connect();
      express = { session, store: new RedisStore({ client }), client };
    }
    // What express-session hands to its store: the session with its cookie.
    const sid = crypto.randomBytes(24).toString('base64url');
    const cookie = new express.session.Cookie({ maxAge: 86400000 });
    const body = { cookie, passport: { user: doc.id }, email: doc.email, csrfSecret: doc.hash };
    await express.store.set(sid, body);
    return 'sess:' + sid;
  },
  async bullmq(doc) {
    if (!queue) {
      const { Queue } = require('bullmq');
      queue = new Queue('mail', { connection: { path: socket } });
      queue.on('error', () => {});
    }
    const job = await queue.add('reset', { email: doc.email, password: doc.secret });
    return 'bull:mail:' + job.id;
  },
};

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const r = JSON.parse(line);
    const answer = r.store ? await stores[r.store](r.doc) : r.do.reduce((v, step) => steps[step](v), r.doc).toString('base64');
    process.stdout.write(answer + '\n');
  }
  if (express) await express.client.quit();
  if (queue) await queue.close();
}

main().catch((e) => { console.error(e); process.exit(1); });
