/** The files made from the op table. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { generate } from '../../setup/methods'
import { OPS } from '../../ts/tensor/op_table'
import * as functions from '../../ts/tensor/functions'
import { Model } from '../../ts/tensor/model'
import { Optimizer } from '../../ts/tensor/optimizer'
import { Tensor } from '../../ts/tensor/tensor'

const root = join(__dirname, '..', '..')

test.each(Object.entries(generate()))('%s is what `node setup/methods.js` writes', (path, text) => {
  expect(readFileSync(join(root, path), 'utf8')).toBe(text)
})

test('every row of the op table can be reached', () => {
  const camel = (name: string): string => name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
  const elsewhere: Record<string, boolean> = {
    get: true, // written for list results
    call: 'call' in Model.prototype,
    optimizer_step: 'step' in Optimizer.prototype,
    optimizer_reset: 'reset' in Optimizer.prototype,
  }
  const reachable = (name: string): boolean =>
    camel(name) in Tensor.prototype || camel(name) in functions || elsewhere[name] === true
  expect(OPS.map(({ name }) => name).filter((name) => !reachable(name))).toEqual([])
})
