/** Seconds of `body`. */
export async function timed(body: () => Promise<unknown>): Promise<number> {
  const started = process.hrtime.bigint()
  await body()
  return Number(process.hrtime.bigint() - started) / 1e9
}
