'use strict'

/**
 * A jest environment whose Float32Array is that of Node itself: native modules make arrays of that class, and onnxruntime-node
 * refuses those of jest's own realm.
 */
const { TestEnvironment } = require('jest-environment-node')

module.exports = class extends TestEnvironment {
  /** @param {ConstructorParameters<typeof TestEnvironment>} given */
  constructor(...given) {
    super(...given)
    this.global.Float32Array = Float32Array
  }
}
