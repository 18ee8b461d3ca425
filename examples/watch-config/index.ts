/** Watches a configuration file and prints what is in use after each change: `node index.ts [file]`. */
import type { ProxyConfig } from "@proxy/config";
import { ConfigError, createConfigManager, formatIssue } from "@proxy/config";
import { fileProvider } from "@proxy/config/schema";

const file = process.argv[2] ?? new URL("proxy.json", import.meta.url).pathname;

const print = (text: string): void => void process.stdout.write(`${text}\n`);
const report = (error: Error): void => print(error instanceof ConfigError ? error.issues.map(formatIssue).join("\n") : error.message);

let isRunning = false;
const manager = createConfigManager({
  providers: [fileProvider(file, { env: process.env })],
  apply(config: ProxyConfig) {
    const routes = config.routes.map((route) => `${route.routeId} -> ${route.clusterId ?? "nowhere"}`);
    print(`in use: ${config.revisionId}: ${routes.join(", ")}`);
  },
  listeners: [
    {
      // What is wrong at first is told whole by the rejection of start.
      loadingFailed: (_, error) => isRunning && report(error),
      applyingFailed: (_, error) => isRunning && report(error),
      warned: (issues) => print(issues.map(formatIssue).join("\n")),
    },
  ],
});

try {
  await manager.start();
  isRunning = true;
  // Watching alone does not keep a process alive; a server would.
  const alive = setInterval(() => undefined, 60_000);
  process.once("SIGTERM", () => {
    clearInterval(alive);
    void manager.close();
  });
} catch (error) {
  report(error as Error);
  process.exitCode = 1;
}
