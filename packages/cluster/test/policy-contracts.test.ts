import {
  createActiveHealthPolicies,
  createAffinityFailurePolicies,
  createAffinityPolicies,
  createAvailableDestinationsPolicies,
  createPassiveHealthPolicies,
  AffinityError,
  type ActiveHealthPolicy,
  type AffinityFailurePolicy,
  type AvailableDestinationsPolicy,
  type PassiveHealthPolicy,
  type SessionAffinityPolicy,
} from "@proxy/cluster";
import { HeaderList } from "@proxy/http";
import { describeAffinityFailurePolicyContract } from "./contract/affinity-failure-policy.ts";
import { describeAffinityPolicyContract } from "./contract/affinity-policy.ts";
import {
  describeActivePolicyContract,
  describeAvailabilityPolicyContract,
  describePassivePolicyContract,
} from "./contract/health-policies.ts";

for (const name of createAffinityPolicies().names) describeAffinityPolicyContract(name, () => createAffinityPolicies().get(name));

/** As a user would write one: the id itself, in a header, looked up somewhere that takes a moment. */
const plainHeader: SessionAffinityPolicy = {
  name: "PlainHeader",
  async find({ request }, { affinityKeyName }, available) {
    const key = request.headers.get(affinityKeyName.toLowerCase());
    if (key === undefined) return { status: "AffinityKeyNotSet", destinations: [] };
    const destinations = available.filter((each) => encodeURIComponent(each.id) === key);
    return { status: destinations.length > 0 ? "OK" : "DestinationNotFound", destinations };
  },
  affinitize: (_exchange, { affinityKeyName }, { id }, headers) => headers.append(affinityKeyName, encodeURIComponent(id)),
};
describeAffinityPolicyContract("a user's policy", () => plainHeader);

const failurePolicies = createAffinityFailurePolicies();
for (const name of failurePolicies.names) describeAffinityFailurePolicyContract(failurePolicies.get(name));

/** As a user would write one: back to the start page, when it is known. */
const startAgain: AffinityFailurePolicy = {
  name: "StartAgain",
  async handle({ response }, cluster, status) {
    if (status === "OK" || status === "AffinityKeyNotSet") throw new AffinityError("not-a-failure", `${status} is no failure`);
    if (cluster === undefined) return true;
    if (!response.started) response.send({ status: 302, headers: HeaderList.from([["Location", "/"], ["Content-Length", "0"]]) });
    return false;
  },
};
describeAffinityFailurePolicyContract(startAgain);

const onlyHealthy: AvailableDestinationsPolicy = {
  name: "a user's policy",
  available: (_cluster, all) => (all.every(isFine) ? all : all.filter(isFine)),
};
function isFine(each: { readonly activeHealth: string }): boolean {
  return each.activeHealth === "Healthy";
}
const availability = createAvailableDestinationsPolicies();
for (const name of availability.names) describeAvailabilityPolicyContract(availability.get(name));
describeAvailabilityPolicyContract(onlyHealthy);

const strict: ActiveHealthPolicy = {
  name: "Strict",
  judge: (_cluster, results) =>
    results.map(({ destination, status }) => ({ destination, health: status === 200 ? "Healthy" : "Unhealthy", reason: `${status}` })),
};
describeActivePolicyContract("ConsecutiveFailures", () => createActiveHealthPolicies().get("ConsecutiveFailures"));
describeActivePolicyContract("a user's policy", () => strict);

const firstError: PassiveHealthPolicy = {
  name: "FirstError",
  requestEnded(cluster, destination, { error }, updater) {
    if (error !== undefined) updater.setPassive(cluster, destination, "Unhealthy", 1_000, error);
  },
};
describePassivePolicyContract("TransportFailureRate", (clock) => createPassiveHealthPolicies([], { clock }).get("TransportFailureRate"));
describePassivePolicyContract("a user's policy", () => firstError);
