/** An op called on a tensor of the worker, where TypeScript's types did not object: one sentence that says what is missing. */
import { PlanError } from '../../bridge/errors'
import { DeviceTensor } from './device_tensor'
import { TensorMethods } from './methods'

/** Gives the names of all ops to DeviceTensor, at run time only: calling one throws a PlanError that shows `use`. */
export function tellForgottenUse(): void {
  for (const name of Object.getOwnPropertyNames(TensorMethods.prototype)) {
    if (name in DeviceTensor.prototype) continue
    Object.defineProperty(DeviceTensor.prototype, name, {
      value: () => {
        throw new PlanError(
          `Expected a tensor of a plan for \`${name}\`, got one of the worker: write use(tensor).${name}(…) inside a plan`,
        )
      },
    })
  }
}
