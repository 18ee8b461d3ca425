import type { ClusterConfig, SessionAffinityConfig } from "@proxy/config";
import type { Exchange, HeaderList } from "@proxy/http";
import type { DestinationState } from "../destination-state.ts";
import type { PolicyRegistry } from "../policy-registry.ts";
import { AffinityError } from "./affinity-error.ts";
import { defaultAffinityFailurePolicy, defaultAffinityPolicy } from "./built-in.ts";
import type { AffinityFailurePolicy } from "./failure-policy.ts";
import type { AffinityResult, SessionAffinityPolicy } from "./policy.ts";

/** The policies that clusters name, by name. */
export interface AffinityPolicies {
  readonly affinity: PolicyRegistry<SessionAffinityPolicy>;
  readonly affinityFailure: PolicyRegistry<AffinityFailurePolicy>;
}

/** The session affinity of one cluster: its settings with the policies they name. Immutable. */
export class ClusterAffinity {
  readonly settings: SessionAffinityConfig;
  readonly policy: SessionAffinityPolicy;
  readonly failurePolicy: AffinityFailurePolicy;

  /**
   * Throws `PolicyError` for a policy that is not known and `AffinityError` for settings that are missing, disabled or of
   * no use to the policy.
   */
  constructor(cluster: ClusterConfig, policies: AffinityPolicies) {
    const settings = cluster.sessionAffinity;
    if (settings?.enabled !== true) {
      throw new AffinityError("affinity-disabled", `session affinity of cluster '${cluster.clusterId}' is not enabled`);
    }
    this.settings = settings;
    this.policy = policies.affinity.get(settings.policy || defaultAffinityPolicy);
    this.failurePolicy = policies.affinityFailure.get(settings.failurePolicy || defaultAffinityFailurePolicy);
    const fault = this.policy.fault?.(settings);
    if (fault !== undefined) {
      throw new AffinityError("affinity-settings", `session affinity of cluster '${cluster.clusterId}': ${fault}`);
    }
  }

  find(exchange: Exchange, available: readonly DestinationState[]): AffinityResult | Promise<AffinityResult> {
    return this.policy.find(exchange, this.settings, available);
  }

  /**
   * Writes the key of the destination that answered into the response, unless the request brought it: a key is handed
   * out once and again after it led nowhere, not refreshed. Not for a client that is gone. `scheme`: by which the client came; default: that of the connection.
   */
  affinitize(
    exchange: Exchange,
    found: AffinityResult,
    destination: DestinationState,
    headers: HeaderList,
    scheme?: "http" | "https" | undefined,
  ): void {
    if (found.status === "OK" || exchange.response.ended) return;
    this.policy.affinitize(exchange, this.settings, destination, headers, scheme);
  }
}
