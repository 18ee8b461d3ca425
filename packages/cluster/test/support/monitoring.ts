import {
  createActiveHealthPolicies,
  createHealthMonitor,
  HealthUpdater,
  type ActiveHealthPolicy,
  type ClusterState,
  type ClusterStates,
  type HealthMonitor,
  type HealthMonitorOptions,
  type ProbeRequest,
  type ProbeResult,
} from "@proxy/cluster";
import { FakeClock } from "./fake-clock.ts";
import { statesOf } from "./states.ts";

export interface SentProbe {
  readonly cluster: string;
  readonly destination: string;
  readonly request: ProbeRequest;
  readonly at: number;
  readonly signal: AbortSignal;
  answer(status: number): void;
  fail(error: Error): void;
}

export interface Monitoring {
  readonly clock: FakeClock;
  readonly states: ClusterStates;
  readonly monitor: HealthMonitor;
  readonly updater: HealthUpdater;
  readonly probes: SentProbe[];
  /** What policies were told: name of the policy, cluster, results. */
  readonly judged: { policy: string; cluster: string; results: (number | string)[] }[];
  /** Answers each probe at once; undefined leaves it to the test. */
  script: ((probe: SentProbe) => void) | undefined;
  probesOf(cluster: string): SentProbe[];
}

/** A monitor over clusters, with probes in the hand of the test and time that stands still. */
export function monitoring(options: Partial<HealthMonitorOptions> & { readonly policies?: never; readonly policyNames?: readonly string[] } = {}): Monitoring {
  const clock = new FakeClock();
  const updater = new HealthUpdater({ clock });
  const judged: Monitoring["judged"] = [];
  const note = (policy: ActiveHealthPolicy): ActiveHealthPolicy => ({
    name: policy.name,
    judge(cluster: ClusterState, results: readonly ProbeResult[]) {
      judged.push({ policy: policy.name, cluster: cluster.id, results: results.map((each) => each.status ?? "exception") });
      return policy.judge(cluster, results);
    },
  });
  const own: ActiveHealthPolicy[] = (options.policyNames ?? []).map((name) => note({ name, judge: () => [] }));
  const probes: SentProbe[] = [];
  const { policyNames: _names, ...rest } = options;
  const monitor = createHealthMonitor({
    updater,
    clock,
    jitter: 0,
    policies: createActiveHealthPolicies([...own, note({ ...createActiveHealthPolicies().get("ConsecutiveFailures"), name: "Noted" })]),
    probe: (request, { cluster, destination }, signal) =>
      new Promise((resolve, reject) => {
        const sent: SentProbe = {
          cluster: cluster.id,
          destination: destination.id,
          request,
          at: clock.now(),
          signal,
          answer: (status) => resolve({ status }),
          fail: reject,
        };
        probes.push(sent);
        made.script?.(sent);
      }),
    ...rest,
  });
  const made: Monitoring = {
    clock,
    states: statesOf([monitor, updater]),
    monitor,
    updater,
    probes,
    judged,
    probesOf: (cluster) => probes.filter((each) => each.cluster === cluster),
    script: (probe) => probe.answer(200),
  };
  return made;
}
