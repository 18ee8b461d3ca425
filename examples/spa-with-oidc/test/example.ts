/** The example's three programs on ports of the machine's choice. */
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
// @boundaries-ignore the gateway as its own tests start it
import { configFolder } from "../../../apps/gateway/test/support/config-file.ts";
// @boundaries-ignore the gateway as its own tests start it
import { startGateway } from "../../../apps/gateway/test/support/running-gateway.ts";
import { startApi } from "../api.ts";
import { startProvider } from "../provider.ts";

export interface Example {
  /** The origin of the site. */
  readonly site: string;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function startExample(): Promise<Example> {
  const folder = await configFolder();
  const text = (await readFile(new URL("../gateway.json", import.meta.url), "utf8")).replace('"Root": "site"', `"Root": ${JSON.stringify(fileURLToPath(new URL("../site", import.meta.url)))}`);
  const gateway = await startGateway([await folder.write("gateway.json", text)]);
  const site = `http://localhost:${gateway.port}`;
  const api = startApi(0);
  await once(api, "listening");
  const { issuer, server: provider } = await startProvider(0, site);
  await folder.write(
    "gateway.json",
    text.replace("http://127.0.0.1:4000", issuer).replace('"PublicOrigin": "http://localhost:8080"', `"PublicOrigin": "${site}"`).replace("http://127.0.0.1:5000/", `http://127.0.0.1:${(api.address() as AddressInfo).port}/`),
  );
  await gateway.logged(({ message }) => String(message).includes("configuration is in use"));
  return {
    site,
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      for (const server of [api, provider]) await closed(server);
      await folder[Symbol.asyncDispose]();
    },
  };
}

async function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  server.close();
  await once(server, "close");
}
