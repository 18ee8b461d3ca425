import type { ConfigIssue } from "./config-issue.ts";
import type { ConfigFilter } from "./config-provider.ts";
import type { ProxyConfig } from "./proxy-config.ts";
import type { ValidateOptions } from "./validation/validate-config.ts";
import { checkConfig } from "./validation/validate-config.ts";

/**
 * Errors in what could be read of a configuration with structural faults, without those that only follow from a fault: a value
 * that could not be read is no missing value.
 */
export async function checkSalvaged(
  config: ProxyConfig,
  faults: readonly ConfigIssue[],
  filters: readonly ConfigFilter[],
  options: ValidateOptions,
): Promise<readonly ConfigIssue[]> {
  const { issues } = await checkConfig(config, filters, options);
  const byEntity = Map.groupBy(
    faults.filter((fault) => fault.severity === "error"),
    entityKey,
  );
  return issues.filter((issue) => issue.severity === "error" && !byEntity.get(entityKey(issue))?.some((fault) => overlaps(issue.path, fault.path)));
}

function entityKey({ entity }: ConfigIssue): string {
  return entity === undefined ? "" : `${entity.kind} ${entity.id.toLowerCase()}`;
}

/** Whether one path is the other, around it or inside it. */
function overlaps(a: readonly (string | number)[], b: readonly (string | number)[]): boolean {
  const length = Math.min(a.length, b.length);
  return a.slice(0, length).every((part, index) => String(part).toLowerCase() === String(b[index]).toLowerCase());
}
