import { HeaderList, type Exchange } from "@proxy/http";
import type { ClusterState } from "../cluster-state.ts";
import { AffinityError } from "./affinity-error.ts";
import type { AffinityStatus } from "./policy.ts";

/** Decides what becomes of a request whose key leads nowhere. */
export interface AffinityFailurePolicy {
  /** Unique among policies, ignoring case; `SessionAffinity:FailurePolicy` names it. */
  readonly name: string;
  /**
   * True to go on with all available destinations. False when it has answered: nothing further happens. Throws
   * `AffinityError` when asked about a status that is no failure.
   */
  handle(exchange: Exchange, cluster: ClusterState | undefined, status: AffinityStatus): boolean | Promise<boolean>;
}

/** Goes on: the request is balanced, and its response brings the key of the new destination. */
export const redistribute: AffinityFailurePolicy = {
  name: "Redistribute",
  handle(_exchange, _cluster, status) {
    requireFailure(status);
    return true;
  },
};

/** Answers 503: for sessions that mean nothing to another destination. */
export const return503Error: AffinityFailurePolicy = {
  name: "Return503Error",
  handle({ response }, _cluster, status) {
    requireFailure(status);
    if (!response.started && !response.ended) {
      response.send({ status: 503, headers: HeaderList.from([["Content-Length", "0"]]) });
    }
    return false;
  },
};

function requireFailure(status: AffinityStatus): void {
  if (status === "OK" || status === "AffinityKeyNotSet") {
    throw new AffinityError("not-a-failure", `${status} is no failure of affinity`);
  }
}
