const minimumMajor = 24;
const minimumMinor = 11;

/** The reason why the gateway cannot run on this version of Node, or undefined when it can. */
export function unsupportedNodeMessage(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > minimumMajor || (major === minimumMajor && minor >= minimumMinor)) return undefined;
  return (
    `gateway: Node.js ${minimumMajor}.${minimumMinor} or newer is needed, this is ${version}.\n` +
    "In the workspace a fitting Node is an optional dependency: install without --no-optional and start with " +
    "`npx --yes pnpm@12.21.0 gateway`."
  );
}
