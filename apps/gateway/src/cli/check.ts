import { formatIssue } from "@proxy/config";
import type { ConfigIssue } from "@proxy/config";
import { FilesMissingError } from "../configuration/files-missing.ts";
import { inspectConfiguration } from "../configuration/inspect-configuration.ts";
import type { Output } from "./command-line.ts";
import { exitCode } from "./exit-code.ts";
import type { ExitCode } from "./exit-code.ts";
import type { CheckInvocation } from "./invocation.ts";

/** Loads the files as `run` would and says everything that is wrong with them. Serves nothing, connects nowhere. */
export async function check(invocation: CheckInvocation, output: Output): Promise<ExitCode> {
  try {
    const { config, issues } = await inspectConfiguration(invocation.files, {
      strict: invocation.strict,
      env: process.env,
    });
    if (invocation.json) {
      output.error(json(config !== undefined, issues));
    } else {
      output.error(issuesText(issues));
      if (config !== undefined) {
        const { routes, clusters } = config.reverseProxy;
        output.out(`${invocation.files.join(", ")}: fine, ${routes.length} routes, ${clusters.length} clusters\n`);
      }
    }
    return config === undefined ? exitCode.failed : exitCode.ok;
  } catch (error) {
    if (!(error instanceof FilesMissingError)) throw error;
    if (invocation.json) output.error(json(false, error.files.map(missing)));
    else output.error(`gateway: ${error.message}\n`);
    return exitCode.usage;
  }
}

function json(valid: boolean, issues: readonly ConfigIssue[]): string {
  return `${JSON.stringify({ valid, issues }, undefined, 2)}\n`;
}

function missing(file: string): ConfigIssue {
  return { code: "file-unreadable", severity: "error", message: `there is no readable file ${file}`, path: [], source: file };
}

/** One paragraph for each issue and, when there are errors, their number. */
export function issuesText(issues: readonly ConfigIssue[]): string {
  if (issues.length === 0) return "";
  const errors = issues.filter((issue) => issue.severity === "error").length;
  const summary = errors === 0 ? "" : `${errors} ${errors === 1 ? "error" : "errors"}\n`;
  return `${issues.map(formatIssue).join("\n")}\n${summary}`;
}
