/**
 * CPU per look-up in tables of growing size, and time to compile them. Run with
 * `node --conditions=@proxy/source packages/pipeline/bench/routing.ts`.
 */
import type { RouteConfig } from "@proxy/config";
import { HeaderList } from "@proxy/http";
import { compileRouteTable } from "../src/routing/index.ts";
import type { RouteRequest, RouteTable } from "../src/routing/index.ts";

const iterations = 300_000;
const sizes = [10, 100, 1_000, 10_000];
const browser = HeaderList.from([
  ["Host", "shop.example.com"],
  ["User-Agent", "bench/1.0"],
  ["Accept", "text/html,application/xhtml+xml"],
  ["Accept-Encoding", "gzip, br"],
  ["Cookie", "session=0123456789abcdef"],
  ["X-Version", "2"],
]);

interface Scenario {
  readonly name: string;
  readonly route: (index: number) => RouteConfig["match"];
  readonly request: (index: number) => Partial<RouteRequest>;
}

const scenarios: readonly Scenario[] = [
  {
    name: "literal + catch-all",
    route: (i) => ({ path: `/api/service-${i}/{**rest}` }),
    request: (i) => ({ path: `/api/service-${i}/orders/17` }),
  },
  {
    name: "parameters",
    route: (i) => ({ path: `/v1/resource${i}/{id:int}/items/{item}` }),
    request: (i) => ({ path: `/v1/resource${i}/123/items/abc` }),
  },
  {
    name: "host per route",
    route: (i) => ({ path: "/{**rest}", hosts: [`tenant-${i}.example.com`] }),
    request: (i) => ({ path: "/some/page", authority: `tenant-${i}.example.com` }),
  },
  {
    name: "wildcard host",
    route: (i) => ({ path: "/{**rest}", hosts: [`*.tenant-${i}.example.com`] }),
    request: (i) => ({ path: "/some/page", authority: `www.tenant-${i}.example.com:8080` }),
  },
  {
    name: "method, header, query",
    route: (i) => ({
      path: `/shop/dept-${i}/{**rest}`,
      methods: ["GET", "POST"],
      headers: [{ name: "X-Version", values: ["1", "2"] }],
      queryParameters: [{ name: "lang", values: ["en"] }],
    }),
    request: (i) => ({ path: `/shop/dept-${i}/a`, query: "?page=3&lang=en" }),
  },
  {
    name: "header per route",
    route: (i) => ({ path: "/{**rest}", headers: [{ name: "X-Tenant", values: [`tenant-${i}`] }] }),
    request: (i) => ({ path: "/some/page", headers: HeaderList.from([...browser, ["X-Tenant", `tenant-${i}`]]) }),
  },
  {
    name: "percent-encoded path",
    route: (i) => ({ path: `/files/dir ${i}/{name}` }),
    request: (i) => ({ path: `/files/dir%20${i}/a%C3%A9` }),
  },
  {
    name: "no route (404)",
    route: (i) => ({ path: `/api/service-${i}/{**rest}` }),
    request: (i) => ({ path: `/other/service-${i}/orders` }),
  },
];

function requestsFor({ request }: Scenario, size: number): RouteRequest[] {
  return Array.from({ length: Math.min(size, 512) }, (_, k) => ({
    method: "GET",
    path: "/",
    query: "",
    scheme: "http" as const,
    authority: "shop.example.com",
    headers: browser,
    ...request(Math.floor((k * size) / Math.min(size, 512))),
  }));
}

function cpuOf(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

function matchAll(table: RouteTable<number>, requests: readonly RouteRequest[]): void {
  for (let i = 0; i < iterations; i++) table.match(requests[i % requests.length] as RouteRequest);
}

for (const scenario of scenarios) {
  const columns: string[] = [];
  for (const size of sizes) {
    const routes = Array.from({ length: size }, (_, i) => ({
      config: { routeId: `r${i}`, clusterId: "c", match: scenario.route(i) },
      payload: i,
    }));
    let table: RouteTable<number> | undefined;
    const compile = cpuOf(() => (table = compileRouteTable(routes))) / 1_000;
    if (table === undefined) throw new Error("not compiled");
    const requests = requestsFor(scenario, size);
    matchAll(table, requests);
    const rounds = [0, 1, 2].map(() => cpuOf(() => matchAll(table as RouteTable<number>, requests)));
    const nanoseconds = (Math.min(...rounds) * 1_000) / iterations;
    columns.push(`${size}: ${nanoseconds.toFixed(0)} ns (compile ${compile.toFixed(0)} ms)`);
  }
  process.stdout.write(`${scenario.name.padEnd(24)} ${columns.join("   ")}\n`);
}
