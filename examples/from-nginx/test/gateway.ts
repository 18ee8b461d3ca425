import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Served } from "./behaviour.ts";
import type { Address, Site } from "./site.ts";

const main = fileURLToPath(new URL("../../../apps/gateway/src/main.ts", import.meta.url));
const file = fileURLToPath(new URL("../gateway.json", import.meta.url));

/** A port that was free a moment ago: routes and nginx have to be told theirs. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** What the environment says in the place of the file's addresses, as one would in another environment. */
export function overrides(site: Site, http: number): Record<string, string> {
  const at = (address: Address): string => `http://127.0.0.1:${site.ports.get(address)}`;
  const cluster = (id: string, destination: string): string => `ReverseProxy__Clusters__${id}__Destinations__${destination}__Address`;
  return {
    Server__Endpoints__Http__Url: `http://127.0.0.1:${http}`,
    Server__Endpoints__Https__Url: "https://127.0.0.1:0",
    Server__Endpoints__Https__Certificate__Path: site.certificate,
    Server__Endpoints__Https__Certificate__KeyPath: site.key,
    Server__AccessLog__Path: `${site.folder}/access.log`,
    // The request names the port that is listened on here; in the file it is that of http.
    ["ReverseProxy__Routes__to-https__Match__Hosts__0"]: "*:80",
    Policies__Authentication__decide__ForwardAuth__Url: `${at("10.0.0.31:9100")}/decide`,
    [cluster("api", "one")]: at("10.0.0.11:5000"),
    [cluster("api", "two")]: at("10.0.0.12:5000"),
    [cluster("api", "backup")]: at("10.0.0.13:5000"),
    ...Object.fromEntries(["shop", "live"].flatMap((id) => [[cluster(id, "one"), at("10.0.0.21:3000")], [cluster(id, "two"), at("10.0.0.22:3000")]])),
  };
}

export async function startGateway(site: Site): Promise<Served & { stop(): Promise<void> }> {
  const env = { PATH: process.env["PATH"], ...overrides(site, 0) };
  const child = spawn(process.execPath, ["--conditions=@proxy/source", main, "run", "--strict", "--config", file], { env, stdio: ["ignore", "pipe", "inherit"] });
  const ports = { http: 0, https: 0 };
  const gone = once(child, "exit").then(() => Promise.reject(new Error("the gateway did not start")));
  gone.catch(() => {});
  const listening = (async () => {
    for await (const line of createInterface(child.stdout)) {
      const [, scheme, port] = /^Listening on (https?):\/\/.*:(\d+)$/.exec(line) ?? [];
      if (scheme === "http" || scheme === "https") ports[scheme] = Number(port);
      if (ports.http !== 0 && ports.https !== 0) return;
    }
  })();
  await Promise.race([listening, gone]);
  return {
    ...ports,
    async stop() {
      child.kill("SIGTERM");
      await gone.catch(() => {});
    },
  };
}
