// @boundaries-ignore the double lives with its interface
export { FakeClock, settled } from "../../../cluster/test/support/fake-clock.ts";
