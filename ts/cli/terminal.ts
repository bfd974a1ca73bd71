/**
 * What the command line shows: progress bars with rate and time left on a terminal, plain lines in a pipe, results on standard output.
 * Progress goes to standard error, so that the last line of standard output stays the result.
 */
import { MultiBar, Presets, type SingleBar } from 'cli-progress'

/** How often a pipe gets a line about running work, in milliseconds. */
const PLAIN_INTERVAL_MS = 10_000

/** One running piece of work; `detail` is a short state such as `loss 0.93`. */
export interface Task {
  update(done: number, detail?: string): void
  finish(detail?: string): void
}

/** Where commands report to. */
export interface Terminal {
  /** A line about what happens, on standard error. */
  note(line: string): void
  /** A line that is the result, on standard output. */
  result(line: string): void
  /** A task of `total` steps. */
  task(name: string, total: number): Task
  /** Ends what is drawn; called once before the process ends. */
  close(): void
}

/** Seconds as `8 s`, `3 min 12 s` or `2 h 05 min`. */
export function formatSeconds(seconds: number): string {
  if (!Number.isFinite(seconds)) return '?'
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`
  return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, '0')} min`
}

/** Rate and time left from what was done since `first`: a resumed task does not start at 0. */
function rateOf(first: number, done: number, total: number, startedMs: number, nowMs: number): string {
  const seconds = (nowMs - startedMs) / 1000
  if (done <= first || seconds <= 0) return ''
  const rate = (done - first) / seconds
  return `${rate >= 10 ? rate.toFixed(0) : rate.toFixed(1)}/s, ${formatSeconds((total - done) / rate)} left`
}

function barTerminal(): Terminal {
  const bars = new MultiBar(
    {
      format: '{name} {bar} {percentage}% {value}/{total} {rate} {detail}',
      hideCursor: true,
      clearOnComplete: false,
      stream: process.stderr,
      autopadding: true,
      barsize: 24,
      gracefulExit: false,
    },
    Presets.shades_classic,
  )
  return {
    note: (line) => {
      bars.log(`${line}\n`)
      bars.update()
    },
    result: (line) => process.stdout.write(`${line}\n`),
    task(name, total) {
      const started = Date.now()
      let first: number | undefined
      const bar: SingleBar = bars.create(total, 0, { name, detail: '', rate: '' })
      return {
        update(done, detail = '') {
          first ??= done
          bar.update(done, { detail, rate: rateOf(first, done, total, started, Date.now()) })
        },
        finish: (detail = '') => {
          bar.update(total, { detail, rate: `in ${formatSeconds((Date.now() - started) / 1000)}` })
          bar.stop()
        },
      }
    },
    close: () => bars.stop(),
  }
}

function plainTerminal(): Terminal {
  const note = (line: string): void => void process.stderr.write(`${line}\n`)
  return {
    note,
    result: (line) => process.stdout.write(`${line}\n`),
    task(name, total) {
      const started = Date.now()
      let last = started
      let first: number | undefined
      return {
        update(done, detail = '') {
          const now = Date.now()
          first ??= done
          if (now - last < PLAIN_INTERVAL_MS) return
          last = now
          note(`${name}: ${done}/${total} ${rateOf(first, done, total, started, now)} ${detail}`.trimEnd())
        },
        finish: (detail = '') =>
          note(`${name}: done in ${formatSeconds((Date.now() - started) / 1000)} ${detail}`.trimEnd()),
      }
    },
    close: () => undefined,
  }
}

/** Bars on a terminal, plain lines elsewhere. */
export function openTerminal(interactive = process.stderr.isTTY): Terminal {
  return interactive ? barTerminal() : plainTerminal()
}
