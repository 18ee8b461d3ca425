import type { CommandName } from "./invocation.ts";

const overview = `gateway: a reverse proxy that reads YARP's configuration

Usage
  gateway [run] --config FILE …    serve
  gateway check --config FILE …    say everything that is wrong with a configuration
  gateway routes --config FILE …   show the routes in the order in which they are tried, or explain a request
  gateway schema                   print the JSON Schema of the configuration
  gateway dev-cert                 write a self-signed certificate for this machine, for development
  gateway hash-key                 make an API key and the hash of it for the configuration
  gateway COMMAND --help           the options of a command
  gateway --version

Exit codes
  0  fine
  1  the configuration is invalid, or the gateway could not start
  2  the command line is wrong, or a file is missing
`;

const files = `  -c, --config FILE    JSON, YAML or TypeScript; several are laid over one another; \`--config\` may be left out
`;

const topics: Readonly<Record<CommandName, string>> = {
  run: `gateway [run] --config FILE [--config FILE …] [options]

Serves until SIGTERM or SIGINT, then finishes what is under way; a second signal ends at once.

${files}      --urls URLS      where to listen instead of what the configuration says, separated by semicolons:
                       http://127.0.0.1:8080, http://*:80, http://[::1]:0
      --strict         unknown keys are errors, not warnings
      --log-level L    Trace, Debug, Information, Warning, Error, Critical or None
  -h, --help
  -V, --version
`,
  check: `gateway check --config FILE [--config FILE …] [options]

Loads the files as \`run\` would, together, without serving. Every error and warning goes to standard error.

${files}      --json           one JSON document instead of text
      --strict         unknown keys are errors, not warnings
  -h, --help
`,
  routes: `gateway routes --config FILE [--config FILE …] [options]

Prints the route table in the order in which routes are tried, or explains what happens to one request.

${files}  -r, --request R      "GET http://host/path?query", or a URL alone
  -H, --header H       "Name: value" of that request; repeat it for more
      --json           one JSON document instead of text
      --strict         unknown keys are errors, not warnings
  -h, --help
`,
  schema: `gateway schema

Prints the JSON Schema of the configuration, for editors.

  -h, --help
`,
  "dev-cert": `gateway dev-cert [options]

Writes a self-signed certificate for localhost, 127.0.0.1 and ::1 with its private key, and says how to use and to trust it.

      --cert FILE      where the certificate goes, in PEM; default dev-cert.pem
      --key FILE       where its private key goes, in PEM, readable by you alone; default dev-cert.key
      --host NAME      another host name or IP address; repeat it for more
      --days N         validity, 1 to 825; default 365
  -f, --force          replace files that exist
  -h, --help
`,
  "hash-key": `gateway hash-key [--stdin]

Makes an API key of 256 random bits, and prints it with its hash for Policies:Authentication:<name>:ApiKey:Keys:<name>:Hash. The key is shown
once and kept nowhere.

      --stdin          hash the key on standard input instead; a line break at its end is not part of it
  -h, --help
`,
};

/** The help text of a command, or of the program. Ends with a line break. */
export function usageText(topic: CommandName | undefined): string {
  return topic === undefined ? overview : topics[topic];
}
