/**
 * Two small destinations and the gateway in front of them, in one process: `pnpm start [PORT]`. Ctrl-C ends all.
 */
import { fileURLToPath } from "node:url";
import { run } from "../src/cli/run.ts";
import { isPortTaken } from "./port-taken.ts";
import { startSampleDestination } from "./sample-destination.ts";

const config = fileURLToPath(new URL("gateway.json", import.meta.url));
const port = portFrom(process.argv[2] ?? process.env["PORT"]);

if (port === undefined) {
  process.stderr.write("usage: pnpm start [PORT], or PORT=… pnpm start\n");
  process.exitCode = 2;
} else if (await isPortTaken(port)) {
  process.stderr.write(
    `Port ${port} is taken by another program. Choose another one: npx --yes pnpm@12.21.0 start ${port + 1}\n`,
  );
  process.exitCode = 1;
} else {
  const first = await startSampleDestination("first", 9101);
  const second = await startSampleDestination("second", 9102);
  // The file names fixed ports, to be honest to readers; where they are taken the environment overrides it.
  const env = { ...process.env };
  if (first.moved) env["ReverseProxy__Clusters__sample__Destinations__first__Address"] = address(first.port);
  if (second.moved) {
    env["ReverseProxy__Clusters__sample__Destinations__second__Address"] = address(second.port);
    env["ReverseProxy__Clusters__second__Destinations__second__Address"] = address(second.port);
  }
  run(
    { command: "run", files: [config], urls: `http://127.0.0.1:${port}`, strict: false, logLevel: undefined },
    {
      env,
      announce: (line) => process.stdout.write(line + whatToTry(line.trim().replace("Listening on ", ""))),
    },
  );
}

function whatToTry(url: string): string {
  const relative = process.cwd() === "/" ? config : config.replace(`${process.cwd()}/`, "");
  return `
Two destinations, first and second, stand behind it. Try in another terminal:

  curl ${url}/                       # balanced: call it twice, both destinations answer in turn
  curl '${url}/api/items?page=2'     # a transform takes /api away and adds a header
  curl -H 'X-Beta: yes' ${url}/      # a header decides: always the second one
  curl ${url}/hello                  # answered by the gateway itself
  curl -i ${url}/old/items           # redirected

Then change ${relative}, for example the Body of "hello", save and call again.
What is wrong with a change is said here, and the running configuration stays. Ctrl-C ends all.

`;
}

function address(at: number): string {
  return `http://127.0.0.1:${at}/`;
}

function portFrom(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return 8080;
  const value = Number(text);
  return /^\d{1,5}$/.test(text) && value <= 65_535 ? value : undefined;
}
