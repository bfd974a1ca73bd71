'use strict'

/** Which data sets lie where the loaders look for them. The loaders themselves verify contents; this only looks at names. */
const fs = require('node:fs')
const path = require('node:path')

/** Where Debian's package `dataset-fashion-mnist` puts its files. */
const DEBIAN_FASHION_MNIST = '/usr/share/datasets/fashion-mnist'

const CIFAR = [
  { name: 'CIFAR-10', download: 'cifar10', folders: ['cifar-10-batches-py', 'cifar-10-batches-bin'] },
  { name: 'CIFAR-100', download: 'cifar100', folders: ['cifar-100-python', 'cifar-100-binary'] },
]

/**
 * @param {{ root: string, cwd: string, debian?: string }} places
 * @returns {{ name: string, found: string, repair: string | null }[]}
 */
function findDataSets({ root, cwd, debian = DEBIAN_FASHION_MNIST }) {
  const embedded = list(path.join(root, 'data')).filter((name) => /fashion/i.test(name))
  const idx = list(debian).some((name) => /-idx3-ubyte(\.gz)?$/.test(name))
  return [
    embedded.length > 0
      ? { name: 'embedded data', found: 'Fashion-MNIST subset', repair: null }
      : {
          name: 'embedded data',
          found: 'not in the package',
          repair: 'npm install feynkac (in a clone: git checkout data)',
        },
    idx
      ? { name: 'Fashion-MNIST', found: debian, repair: null }
      : {
          name: 'Fashion-MNIST',
          found: 'not found (optional: the embedded subset is enough for `reproduce`)',
          repair: 'sudo apt install dataset-fashion-mnist',
        },
    ...CIFAR.map(({ name, download, folders }) => {
      const folder = folders.map((entry) => path.join(cwd, 'data', entry)).find((file) => fs.existsSync(file))
      return folder === undefined
        ? {
            name,
            found: 'not found (optional)',
            repair: `npx feynkac data ${download} --download --root data`,
          }
        : { name, found: folder, repair: null }
    }),
  ]
}

/** @param {string} folder */
function list(folder) {
  return fs.existsSync(folder) ? fs.readdirSync(folder) : []
}

module.exports = { findDataSets }
