/** `tcp://host:port` of a worker that listens: which hosts are this machine, and where its control socket is. */
import { isIPv4 } from 'node:net'
import { FeynkacError } from '../errors'

export interface Address {
  /** As it was given. */
  readonly text: string
  readonly commands: string
  readonly control: string
  readonly ipv6: boolean
  /** localhost, 127.0.0.0/8 or ::1: nothing leaves this machine. */
  readonly loopback: boolean
}

const LOOPBACK6 = ['[::1]', '[0:0:0:0:0:0:0:1]']

/** Throws one sentence for anything but tcp, a host and a port. */
export function parseAddress(text: string): Address {
  const [, host, digits] = /^tcp:\/\/(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+):(\d{1,5})$/.exec(text) ?? []
  const port = Number(digits)
  if (host === undefined || !(port >= 1 && port <= 65_534)) {
    throw new FeynkacError(`Expected \`address\` to be tcp://HOST:PORT with a port of 1 to 65534, got \`${text}\``)
  }
  const loopback = host === 'localhost' || (isIPv4(host) && host.startsWith('127.')) || LOOPBACK6.includes(host)
  const name = host === 'localhost' ? '127.0.0.1' : host
  return {
    text,
    commands: `tcp://${name}:${port}`,
    control: `tcp://${name}:${port + 1}`,
    ipv6: host.startsWith('['),
    loopback,
  }
}
