import { createRotatableKeyRing } from "@proxy/cluster";
import type { KeyProtector } from "@proxy/cluster";
import type { AffinityKeysConfig } from "@proxy/config";
import { watchFiles } from "@proxy/http";
import * as Effect from "effect/Effect";
import type * as Scope from "effect/Scope";
import type { CallbackLog } from "../logging/callback-log.ts";
import { hasAffinitySecrets, readAffinitySecrets } from "./affinity-secrets.ts";

/**
 * The key ring of the configured secrets; undefined when there are none. Its file is read again when it changes and at SIGHUP:
 * what cannot be used is logged, and the old secrets stay. Dies with `AffinitySecretsError`, of which `hostIssues` would have told.
 */
export const affinityKeys = (settings: AffinityKeysConfig, log: CallbackLog): Effect.Effect<KeyProtector | undefined, never, Scope.Scope> => {
  if (!hasAffinitySecrets(settings)) return Effect.succeed(undefined);
  return Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => {
        const ring = createRotatableKeyRing(readAffinitySecrets(settings));
        const { path } = settings;
        if (!path) return { ring, stop: () => {} };
        const reload = (): void => {
          try {
            const secrets = readAffinitySecrets(settings);
            ring.use(secrets);
            log("Info", "the secrets of session affinity were read again", { file: path, secrets: secrets.length });
          } catch (error) {
            log("Error", `the changed secrets of session affinity cannot be used, the old ones stay: ${(error as Error).message}`);
          }
        };
        const unwatch = watchFiles([path], reload);
        process.on("SIGHUP", reload);
        return {
          ring,
          stop: () => {
            unwatch();
            process.removeListener("SIGHUP", reload);
          },
        };
      }),
      ({ stop }) => Effect.sync(stop),
    ),
    ({ ring }) => ring,
  );
};
