/** The file of the end-to-end test again, with nginx and a Node server as destinations and curl as the client. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect } from "vitest";
import { startChild } from "../support/child-gateway.ts";
import { startRawOrigin } from "../support/raw-origin.ts";
import { largeBody, startNginx } from "./nginx.ts";
import { testWith } from "./required-programs.ts";

const exec = promisify(execFile);
const file = fileURLToPath(new URL("../end-to-end/shop.json", import.meta.url));

describe("with nginx as destinations and curl as client", () => {
  testWith(["nginx", "curl"], "each request arrives where it should, with the right bytes", async ({ nginx, curl }) => {
    await using origins = await startNginx(nginx!, ["catalog-1", "catalog-2", "web"]);
    const orders = await startRawOrigin("orders");
    await using gateway = startChild(["run", "--config", file, "--urls", "http://127.0.0.1:0"], {
      "ReverseProxy__Clusters__catalog__Destinations__catalog-1__Address": `http://127.0.0.1:${origins.ports[0]}/`,
      "ReverseProxy__Clusters__catalog__Destinations__catalog-2__Address": `http://127.0.0.1:${origins.ports[1]}/`,
      "ReverseProxy__Clusters__web__Destinations__web-1__Address": `http://127.0.0.1:${origins.ports[2]}/`,
      "ReverseProxy__Clusters__orders__Destinations__orders-1__Address": orders.url,
    });
    const [port] = await gateway.listening();
    const run = async (path: string, ...args: readonly string[]): Promise<string> => {
      const { stdout } = await exec(curl!, ["-sS", "--max-time", "20", ...args, `http://127.0.0.1:${port}${path}`], {
        encoding: "latin1",
        maxBuffer: 4 * 1024 * 1024,
      });
      return stdout;
    };
    const shop = ["-H", "Host: shop.test"];

    const turns = [await run("/api/catalog/7"), await run("/api/catalog/7")];
    expect(turns.toSorted()).toEqual(["catalog-1 GET /catalog/7\n", "catalog-2 GET /catalog/7\n"]);
    expect(await run("/api/orders/42", ...shop)).toBe("orders");
    expect(orders.requests.at(-1)).toMatch(/^GET \/v2\/orders\/42 HTTP\/1\.1\r\n/);
    expect(await run("/api/orders/42", ...shop, "-H", "X-Canary: 1")).toBe("web GET /api/orders/42\n");
    expect(await run("/api/catalog/1?preview=1", ...shop)).toBe("web GET /api/catalog/1?preview=1\n");
    expect(await run("/", "-H", "Host: admin.shop.test")).toBe("orders");
    expect(await run("/healthz", ...shop)).toBe("fine\n");
    expect(await run("/shop/shoes", ...shop, "-o", "/dev/null", "-w", "%{http_code} %{redirect_url}")).toBe(
      `308 http://127.0.0.1:${port}/api/catalog/shoes`,
    );
    expect(await run("/nowhere", "-o", "/dev/null", "-w", "%{http_code}")).toBe("404");
    expect(await run("/", "-H", "Host: dead.shop.test", "-o", "/dev/null", "-w", "%{http_code}")).toBe("502");

    const large = Buffer.from(await run("/large", ...shop), "latin1");
    expect(hash(large)).toBe(hash(largeBody));
    expect(await run("/upload", ...shop, "--data-binary", `@${file}`)).toBe("web POST /upload\n");
    expect(await run("/upload", ...shop, "-H", "Transfer-Encoding: chunked", "--data-binary", `@${file}`)).toBe(
      "web POST /upload\n",
    );

    gateway.process.kill("SIGTERM");
    expect(await gateway.ended).toEqual({ code: 0, signal: null });
    await orders.close();
  });
});

function hash(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
