import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { WebSocket } from "ws";
import { ask } from "./site.ts";

export interface Served {
  readonly http: number;
  readonly https: number;
}

/** What the example does, as far as clients and destinations see it. Whoever serves it has to give the same. */
export async function behaviourOf({ http, https }: Served) {
  const json = async (path: string, options: Parameters<typeof ask>[2] = {}) => {
    const { status, headers, body } = await ask(https, path, options);
    const { url, shown } = JSON.parse(body === "" ? "{}" : body) as { url?: string; shown?: string[] };
    return { status, name: headers["x-name"], url, shown, framework: headers["x-powered-by"], frame: headers["x-frame-options"] };
  };
  const status = async (path: string, options: Parameters<typeof ask>[2] = {}) => (await ask(https, path, options)).status;
  const redirect = async () => {
    const [response] = (await once(get({ host: "127.0.0.1", port: http, path: "/a?b=c", headers: { Host: "shop.example" }, agent: false }), "response")) as [IncomingMessage];
    response.resume();
    return [response.statusCode, response.headers.location?.replace(/:\d+\//, "/")];
  };
  const page = async (path: string) => {
    const { status: code, headers, body } = await ask(https, path, { headers: { Accept: "text/html" } });
    return { code, type: headers["content-type"]?.split(";")[0], title: /<title>(.*)<\/title>/.exec(body)?.[1] };
  };
  const counted = async (path: string) => (JSON.parse((await ask(https, path)).body) as { count: number }).count;
  const logins = [];
  for (let i = 0; i < 12; i++) logins.push(await status("/api/login"));
  return {
    redirect: await redirect(),
    health: await ask(https, "/healthz").then(({ status: code, body }) => [code, body]),
    moved: await ask(https, "/items/7").then(({ status: code, headers }) => [code, headers.location?.replace(/^https:\/\/[^/]+/, "")]),
    api: await json("/api/orders/7?x=1"),
    exports: await json("/api/exports/7").then(({ status: code, url }) => [code, url]),
    retried: [await status("/api/fails"), await status("/api/fails"), await status("/api/fails")],
    zipped: (await ask(https, "/api/long", { headers: { "Accept-Encoding": "gzip" } })).headers["content-encoding"],
    limited: [logins.slice(0, 6), logins.includes(429)],
    refused: await status("/private/x"),
    passed: await json("/private/x", { headers: { Authorization: "Bearer good" } }).then(({ status: code, url }) => [code, url]),
    cached: (await counted("/catalogue/7")) === (await counted("/catalogue/7")),
    notCached: (await counted("/api/x")) === (await counted("/api/x")),
    tooLarge: await status("/api/x", { method: "POST", headers: { "Content-Length": "10485761", Expect: "100-continue" } }),
    php: [await status("/index.php"), await status("/a/b.PHP")],
    start: await page("/"),
    application: await page("/orders/7"),
    file: await ask(https, "/site.css").then(({ status: code, headers }) => [code, headers["content-type"]?.split(";")[0]]),
    live: await said(https),
    // The last: nginx asks neither of the destinations for a while now.
    sorry: await page("/api/gone"),
  };
}

async function said(https: number): Promise<string> {
  const socket = new WebSocket(`wss://127.0.0.1:${https}/live`, { rejectUnauthorized: false, headers: { Host: "shop.example" } });
  await once(socket, "open");
  socket.send("hello");
  const [data] = (await once(socket, "message")) as [Buffer];
  socket.close();
  await once(socket, "close");
  return data.toString();
}
