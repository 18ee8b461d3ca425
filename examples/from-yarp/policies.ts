import type { ActiveHealthPolicy, AffinityFailurePolicy, AvailableDestinationsPolicy, LoadBalancingPolicy, PassiveHealthPolicy, SessionAffinityPolicy } from "@proxy/cluster";
import { HeaderList } from "@proxy/http";

// ILoadBalancingPolicy
export const last: LoadBalancingPolicy = {
  name: "Last",
  pick: (_exchange, _cluster, available) => available.at(-1),
};

// IPassiveHealthCheckPolicy
export const firstError: PassiveHealthPolicy = {
  name: "FirstUnsuccessfulResponse",
  requestEnded(cluster, destination, outcome, updater) {
    if ((outcome.status ?? 0) >= 500) updater.setPassive(cluster, destination, "Unhealthy", 60_000, `status ${outcome.status}`);
  },
};

// IActiveHealthCheckPolicy
export const anyAnswer: ActiveHealthPolicy = {
  name: "AnyAnswer",
  judge: (_cluster, results) =>
    results.map(({ destination, status }) => ({ destination, health: status === undefined ? "Unhealthy" : "Healthy", reason: `answered ${status ?? "nothing"}` })),
};

// IAvailableDestinationsPolicy
export const notUnhealthy: AvailableDestinationsPolicy = {
  name: "NotUnhealthy",
  available: (_cluster, all) => all.filter(({ activeHealth, passiveHealth }) => activeHealth !== "Unhealthy" && passiveHealth !== "Unhealthy"),
};

// ISessionAffinityPolicy
export const byTenant: SessionAffinityPolicy = {
  name: "Tenant",
  find(exchange, settings, available) {
    const key = exchange.request.headers.get(settings.affinityKeyName?.toLowerCase() ?? "");
    if (key === undefined) return { status: "AffinityKeyNotSet", destinations: [] };
    const found = available.filter(({ id }) => id === key);
    return found.length > 0 ? { status: "OK", destinations: found } : { status: "DestinationNotFound", destinations: [] };
  },
  affinitize: (_exchange, settings, destination, headers) => void headers.set(settings.affinityKeyName ?? "X-Tenant", destination.id),
};

// IAffinityFailurePolicy
export const gone: AffinityFailurePolicy = {
  name: "Gone",
  handle(exchange) {
    exchange.response.send({ status: 410, headers: new HeaderList() });
    return false;
  },
};
