import type { ClusterConfig, ConfigChangeListener } from "@proxy/config";
import type { CallbackLog } from "../logging/callback-log.ts";

const protectedPolicies: ReadonlySet<string> = new Set(["cookie", "customheader"]);

/** Says, once for each cluster, that its sessions end with the process: for a gateway without secrets of session affinity. */
export function shortLivedSessions(log: CallbackLog): ConfigChangeListener {
  const told = new Set<string>();
  return {
    applied(configs) {
      for (const cluster of configs.flatMap(({ clusters }) => clusters)) {
        const id = cluster.clusterId.toLowerCase();
        if (!needsSecrets(cluster) || told.has(id)) continue;
        told.add(id);
        log("Warn", "without Server:AffinityKeys the sessions of this cluster end with the process, and no other gateway knows them", {
          cluster: cluster.clusterId,
        });
      }
    },
  };
}

function needsSecrets({ sessionAffinity }: ClusterConfig): boolean {
  return sessionAffinity?.enabled === true && protectedPolicies.has((sessionAffinity.policy ?? "").toLowerCase());
}
