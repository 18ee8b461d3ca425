// JavaScript, so that a Node that cannot read TypeScript can say so.

const minimumMajor = 24;
const minimumMinor = 11;

export function unsupportedNodeMessage(version) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > minimumMajor || (major === minimumMajor && minor >= minimumMinor)) return undefined;
  return (
    `gateway: Node.js ${minimumMajor}.${minimumMinor} or newer is needed, this is ${version}.\n` +
    "In the workspace a fitting Node is an optional dependency: install without --no-optional and start with " +
    "`npx --yes pnpm@12.21.0 gateway`."
  );
}
