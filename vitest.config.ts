import { defaultServerConditions } from "vite";
import { defineConfig } from "vitest/config";

// Siblings resolve to their sources, so tests never need a build.
const conditions = ["@proxy/source", ...defaultServerConditions];

const everywhere = "{packages,apps,tooling,examples}/*/test/**";
const notHere = ["**/node_modules/**", "**/dist/**", "**/test/system/**"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    // Where a hang ends, on the slowest and busiest of machines: no measure of anything.
    // A busy machine may starve a process of a test: in CI once more, and the report says so (retry x1).
    retry: process.env["CI"] === "true" ? 1 : 0,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    setupFiles: ["./vitest.seed.ts"],
    expect: { poll: { interval: 5, timeout: 60_000 } },
    projects: [
      {
        extends: true,
        // Files share a worker: most of a file's time would be starting one.
        test: {
          name: "unit",
          include: [`${everywhere}/*.test.ts`],
          exclude: [...notHere, "**/*.alone.test.ts"],
          isolate: false,
        },
      },
      {
        extends: true,
        // Tests that count what the whole process holds (sockets, timers) need a process of their own.
        test: { name: "alone", include: [`${everywhere}/*.alone.test.ts`], exclude: notHere },
      },
    ],
  },
});
