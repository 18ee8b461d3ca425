import { defaultServerConditions } from "vite";
import { defineConfig } from "vitest/config";

const conditions = ["@proxy/source", ...defaultServerConditions];

// Tests that need Debian packages (nginx, curl …) or minutes. Each names what it lacks when it is
// skipped; with CI=true nothing may be skipped.
export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["{packages,apps,tooling,examples}/*/test/system/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/dist/**"],
    fileParallelism: false,
    // A busy machine may starve a process of a test: in CI once more, and the report says so (retry x1).
    retry: process.env["CI"] === "true" ? 1 : 0,
    testTimeout: 600_000,
    hookTimeout: 600_000,
    setupFiles: ["./vitest.seed.ts"],
    expect: { poll: { interval: 5, timeout: 120_000 } },
  },
});
