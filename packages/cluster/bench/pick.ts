/**
 * What one pick costs: CPU time and bytes allocated, by policy and number of destinations, plain and weighted. Ends with 1 when a
 * pick costs more than it may: 500 ns with 10 destinations, 2,000 ns with 1,000. And what limits and outlier detection add.
 *
 *     pnpm bench:micro
 */
import { ClusterStates, createLoadBalancingPolicies, HealthUpdater, OutlierDetector, type ClusterState } from "@proxy/cluster";
import { HeaderList, type Exchange } from "@proxy/http";

const picks = 1_000_000;
const policies = createLoadBalancingPolicies();
const exchanges = Array.from(
  { length: 256 },
  (_, i) =>
    ({
      request: { headers: HeaderList.from([["Host", "a.test"]]), query: "", path: "/" },
      connection: { remoteAddress: `192.0.2.${i}` },
    }) as unknown as Exchange,
);

const print = (line: string): void => void process.stdout.write(`${line}\n`);
print("policy              destinations  weights    ns/pick  bytes/pick");
for (const count of [10, 1_000]) {
  for (const weighted of [false, true]) {
    for (const name of policies.names) measure(name, count, weighted);
  }
}

function measure(name: string, count: number, weighted: boolean): void {
  const states = new ClusterStates({ cluster: (config) => ({ config, loadBalancing: policies.get(name) }) });
  const destinations = Object.fromEntries(
    Array.from({ length: count }, (_, i) => [`d${i}`, { address: `http://d${i}/`, ...(weighted ? { weight: (i % 5) + 1 } : {}) }]),
  );
  states.prepare([{ clusterId: "c", destinations }]).commit();
  const cluster = states.get("c");
  if (cluster === undefined) throw new Error("nothing was loaded");
  const policy = cluster.model.loadBalancing;
  cluster.destinations.all.forEach((each, index) => (each.inFlight = (index % 7) + 1));
  cluster.inFlight = cluster.destinations.all.reduce((sum, each) => sum + each.inFlight, 0);
  const run = (times: number): void => {
    for (let i = 0; i < times; i++) {
      const picked = policy.pick(exchanges[i & 255] as Exchange, cluster, cluster.destinations.available);
      if (picked === undefined) continue;
      // As under load: some are busier than others, and none is idle, so that no search ends early.
      const before = picked.inFlight;
      picked.inFlight = ((before + 1) & 7) + 1;
      cluster.inFlight += picked.inFlight - before;
    }
  };
  const { cost, bytes } = costOf(Math.ceil(picks / (count > 100 ? 10 : 1)), run);
  const isTooMuch = cost > (count > 10 ? 2_000 : 500);
  if (isTooMuch) process.exitCode = 1;
  print(
    `${name.padEnd(20)}${String(count).padStart(12)}  ${weighted ? "1 to 5 " : "equal  "}${cost.toFixed(0).padStart(11)}${bytes.toFixed(2).padStart(12)}${isTooMuch ? "  TOO MUCH" : ""}`,
  );
}

/** The median of five rounds. */
function costOf(times: number, run: (times: number) => void): { cost: number; bytes: number } {
  run(times / 5);
  const costs: number[] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 5; round++) {
    globalThis.gc?.();
    const heap = process.memoryUsage().heapUsed;
    const cpu = process.cpuUsage();
    run(times);
    const { user, system } = process.cpuUsage(cpu);
    // What the process itself allocates meanwhile comes on top: the least of the rounds is nearest.
    bytes = Math.min(bytes, Math.max(0, process.memoryUsage().heapUsed - heap) / times);
    costs.push(((user + system) * 1000) / times);
  }
  return { cost: costs.toSorted((a, b) => a - b)[2] ?? 0, bytes };
}

const clusters = new ClusterStates({ cluster: (config) => ({ config, loadBalancing: policies.get("Random") }) });
const destinations = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`d${i}`, { address: `http://d${i}/` }]));
clusters
  .prepare([{ clusterId: "c", destinations, outlierDetection: { enabled: true }, circuitBreaker: { maxRequests: 1000, maxRequestsPerDestination: 100 } }])
  .commit();
const { limiter, destinations: set } = clusters.get("c") as ClusterState;
const show = (name: string, { cost, bytes }: { cost: number; bytes: number }): void =>
  print(`${name.padEnd(41)}${cost.toFixed(0).padStart(11)}${bytes.toFixed(2).padStart(12)}`);
show(
  "a slot taken and given back",
  costOf(picks, (times) => {
    for (let i = 0; i < times; i++) {
      const each = set.all[i % 10];
      if (each !== undefined && limiter?.tryEnter(each) === true) limiter.leave(each);
    }
  }),
);
const detector = new OutlierDetector({ updater: new HealthUpdater() });
const outcome = { error: undefined, clientGone: false, status: 200, duration: 5, latency: 4 };
show(
  "an outcome told to outlier detection",
  costOf(picks, (times) => {
    for (let i = 0; i < times; i++) {
      const each = set.all[i % 10];
      if (each !== undefined) detector.requestEnded(clusters.get("c") as ClusterState, each, outcome);
    }
  }),
);
detector.close();
