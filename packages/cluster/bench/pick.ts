/**
 * What one pick costs: CPU time and bytes allocated, by policy and number of destinations, plain and weighted.
 *
 *     node --conditions=@proxy/source --expose-gc packages/cluster/bench/pick.ts
 */
import { ClusterStates, createLoadBalancingPolicies } from "@proxy/cluster";
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
  const times = Math.ceil(picks / (count > 100 ? 10 : 1));
  run(200_000 / (count > 100 ? 10 : 1));
  globalThis.gc?.();
  const heap = process.memoryUsage().heapUsed;
  const cpu = process.cpuUsage();
  run(times);
  const { user, system } = process.cpuUsage(cpu);
  const bytes = Math.max(0, process.memoryUsage().heapUsed - heap) / times;
  const cost = (((user + system) * 1000) / times).toFixed(0);
  print(`${name.padEnd(20)}${String(count).padStart(12)}  ${weighted ? "1 to 5 " : "equal  "}${cost.padStart(11)}${bytes.toFixed(2).padStart(12)}`);
}
