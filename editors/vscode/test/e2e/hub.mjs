// A Hugging Face hub on a local port, as far as a download needs one: a list of files, their headers, their bytes.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';

const COMMIT = '0123456789abcdef0123456789abcdef01234567';
const PIECE = 1 << 20;

/** Serves the files of `folder` as the model `id`; `pauseMs` after each MiB. Returns its address, and a function that ends it. */
export async function startHub(id, folder, pauseMs) {
  const files = new Map(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]));
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://hub');
    if (pathname.startsWith(`/api/models/${id}/revision/`)) {
      response.setHeader('Content-Type', 'application/json');
      response.end(
        JSON.stringify({ id, sha: COMMIT, siblings: [...files.keys()].map((rfilename) => ({ rfilename })) }),
      );
      return;
    }
    const [, name] = new RegExp(`^/${id}/resolve/[^/]+/(.+)$`).exec(pathname) ?? [];
    const bytes = files.get(name);
    if (!bytes) {
      response.writeHead(404, { 'X-Error-Code': name ? 'EntryNotFound' : 'RepoNotFound' }).end();
      return;
    }
    const etag = createHash('sha256').update(bytes).digest('hex');
    response.writeHead(200, { 'X-Repo-Commit': COMMIT, ETag: `"${etag}"`, 'Content-Length': bytes.length });
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    for (let at = 0; at < bytes.length && !response.destroyed; at += PIECE) {
      response.write(bytes.subarray(at, at + PIECE));
      if (bytes.length > PIECE) await new Promise((done) => setTimeout(done, pauseMs));
    }
    response.end();
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return { endpoint: `http://127.0.0.1:${server.address().port}`, stop };
}
