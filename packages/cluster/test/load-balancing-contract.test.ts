import { builtInLoadBalancingPolicies, type LoadBalancingPolicy } from "@proxy/cluster";
import { describeLoadBalancingPolicyContract } from "./contract/load-balancing-policy.ts";

for (const { name } of builtInLoadBalancingPolicies()) {
  describeLoadBalancingPolicyContract(name, () => {
    const policy = builtInLoadBalancingPolicies().find((each) => each.name === name);
    if (policy === undefined) throw new Error(`no policy ${name}`);
    return policy;
  });
}

/** As a user would write one: the last in the list, unless it is busy. */
const lastUnlessBusy: LoadBalancingPolicy = {
  name: "LastUnlessBusy",
  pick: (_exchange, _cluster, available) => available.findLast((each) => each.inFlight < 10) ?? available.at(-1),
};
describeLoadBalancingPolicyContract("a user's policy", () => lastUnlessBusy);
