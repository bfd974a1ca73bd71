/** Schedules as lists of values. */
import constant from '../../ts/schedules/constant'
import cubic from '../../ts/schedules/cubic'
import linear from '../../ts/schedules/linear'
import multistep from '../../ts/schedules/multistep'
import { methodNames } from '../../ts/training/registry'

const values = (schedule: (step: number) => number, steps: number): number[] =>
  Array.from({ length: steps }, (_, step) => Number(schedule(step).toPrecision(12)))

test('every file of the folder is tested here', () => {
  expect(methodNames('schedules')).toEqual(['constant', 'cubic', 'linear', 'multistep'])
})

test('constant', () => {
  expect(values(constant({ value: 0.1 }), 3)).toEqual([0.1, 0.1, 0.1])
})

test('multistep counts a milestone from its own step on', () => {
  const schedule = multistep({ initial: 0.1, factor: 0.1, milestones: [2, 3, 5] })
  expect(values(schedule, 7)).toEqual([0.1, 0.1, 0.01, 0.001, 0.001, 0.0001, 0.0001])
})

test('linear ends at its last value and stays there', () => {
  expect(values(linear({ from: 1, to: 0, steps: 4 }), 6)).toEqual([1, 0.75, 0.5, 0.25, 0, 0])
})

test('cubic rises fast, ends at its last value and stays there', () => {
  // 0.8 (1 - (1 - t / 4)^3)
  expect(values(cubic({ from: 0, to: 0.8, steps: 4 }), 6)).toEqual([0, 0.4625, 0.7, 0.7875, 0.8, 0.8])
})

test.each([
  [() => constant({ value: NaN }), 'Expected `value` to be a number in (-Infinity, Infinity), got `NaN` (number)'],
  [() => linear({ from: 0, to: 1, steps: 0 }), 'Expected `steps` to be an integer in [1, Infinity), got `0` (number)'],
  [
    () => multistep({ initial: 0.1, factor: 0.1, milestones: [3, 2] }),
    'Expected `milestones[1]` to be an integer in [3, Infinity), got `2` (number)',
  ],
])('refuses what it cannot use (%#)', (make, message) => {
  expect(make).toThrow(new RangeError(message))
})
