/** A report of removal as lines for people. */
import type { Agreement } from '../compaction/agreement'
import type { CompactReport } from '../compaction/compact'
import type { ChannelGroup } from '../compaction/groups'
import type { Change } from '../compaction/report'

/** Names after which a list is cut. */
const SHOWN = 4

const change = ({ before, after }: Change): string =>
  `${before} -> ${after} (${((100 * after) / Math.max(before, 1)).toFixed(1)} %)`

/** `a, b and 3 more`. */
function listed(names: readonly string[]): string {
  const rest = names.length - SHOWN
  return rest > 1 ? `${names.slice(0, SHOWN).join(', ')} and ${rest} more` : names.join(', ')
}

const row = (label: string, text: string): string => `${label.padEnd(33)} ${text}`

/** What a removal took and what stayed; its parameters are among the costs that are printed below. */
export function reportLines(report: CompactReport, members: number): string[] {
  const { inputChannels, layers, dead, unread, constant, stays } = report
  const deadMembers = Array.from({ length: members }, (_, i) => `ensemble.${i}.`).filter(
    (prefix) => members > 1 && constant.some((module) => module.startsWith(prefix)),
  )
  return [
    row('input channels of convolutions', change(inputChannels)),
    row('layers that became smaller', String(layers.length)),
    row('of those that select channels', String(layers.filter(({ selects }) => selects).length)),
    ...(dead.length === 0 ? [] : [row('dead, zeros take their place', listed(dead))]),
    ...(unread.length === 0 ? [] : [row('gone with them', listed(unread))]),
    ...(constant.length === 0 ? [] : [row('the same for every image', listed(constant))]),
    ...(deadMembers.length === 0 ? [] : [row('dead members', `${deadMembers.length} of ${members}`)]),
    ...reasons(stays).map(({ why, what }) => row('stays', `${listed(what)}: ${why}`)),
  ]
}

/** What stays by its reason: a network of many blocks has the same few again and again. */
function reasons(stays: CompactReport['stays']): { why: string; what: string[] }[] {
  const found = new Map<string, string[]>()
  for (const { what, why } of stays) found.set(why, [...(found.get(why) ?? []), what])
  return [...found].map(([why, what]) => ({ why, what }))
}

/** The channels that go together only. */
export function groupLines(groups: readonly ChannelGroup[]): string[] {
  return groups.flatMap(({ channels, kept, makers, readers, because }, i) => [
    `group ${i + 1}: ${channels} channel${channels === 1 ? '' : 's'}, ${kept} stay${kept === 1 ? 's' : ''}`,
    `  made by  ${makers.length === 0 ? 'the image' : makers.join(', ')}`,
    `  read by  ${readers.length === 0 ? 'nobody' : readers.join(', ')}`,
    ...(because.length === 0 ? [] : [`  fixed by ${because.join('; ')}`]),
  ])
}

/** How far two networks are apart. */
export const agreementLine = ({ noise, images, maxDifference, maxLogit, otherAnswers }: Agreement): string =>
  row(
    `before and after, noise ${noise ? 'on' : 'off'}`,
    `largest difference ${maxDifference.toExponential(1)} of logits up to ${maxLogit.toPrecision(3)}, ` +
      `${otherAnswers} of ${images} answers differ`,
  )
