/** Milliseconds that one record gathers. */
const recordSpan = 1000;

interface WindowRecord {
  readonly from: number;
  total: number;
  failed: number;
}

/**
 * Counts of requests in a moving window. They are gathered in records of a second or more: a record is closed by the first
 * request a second after it was opened, and leaves once it is older than the window. So a busy destination costs
 * no more than one record for each second of the window.
 */
export class FailureWindow {
  total = 0;
  failed = 0;
  readonly #size: number;
  #records: WindowRecord[] = [];

  /** `size` in milliseconds. */
  constructor(size: number) {
    this.#size = size;
  }

  /** `now` must not go back. */
  add(now: number, hasFailed: boolean): void {
    let current = this.#records.at(-1);
    if (current === undefined || now >= current.from + recordSpan) {
      current = { from: now, total: 0, failed: 0 };
      this.#records.push(current);
    }
    current.total++;
    this.total++;
    if (hasFailed) {
      current.failed++;
      this.failed++;
    }
    this.#drop(now);
  }

  #drop(now: number): void {
    const records = this.#records;
    let gone = 0;
    for (let record = records[0]; record !== undefined && now > record.from + this.#size; record = records[++gone]) {
      this.total -= record.total;
      this.failed -= record.failed;
    }
    if (gone > 0) records.splice(0, gone);
  }
}
