/**
 * What a module computes, as the worker's `model.graph` traces it with torch.fx, and which of its channels stay: the input of the cost
 * counts and of channel removal (PROTOCOL.md, "Graphs and widths").
 */

/**
 * What a node does with the channels of its inputs. `relu`: any map of each number alone; `pool`: changes space and keeps channels;
 * `mean`: over space; `flatten`: `[n, c, h, w]` to `[n, c * h * w]`; `noise`: EnResNet's, whose standard deviation is that of the
 * whole tensor; `scale`: times a constant; `select`: takes out channels, in a network that was made smaller.
 * What tracing does not understand is `opaque`.
 */
export type GraphKind =
  | 'input'
  | 'conv'
  | 'norm'
  | 'linear'
  | 'relu'
  | 'pool'
  | 'mean'
  | 'add'
  | 'concat'
  | 'flatten'
  | 'noise'
  | 'scale'
  | 'select'
  | 'output'
  | 'opaque'

/** One operation. */
export interface GraphNode {
  readonly id: string
  readonly kind: GraphKind
  /** Dotted name of the module whose parameters it uses. */
  readonly module: string | null
  /** Ids of the nodes that it reads, in order. */
  readonly inputs: readonly string[]
  /** What runs: the class of a module, or the name of a function; absent for input and output. */
  readonly operation?: string
  /** Of its output, for one image. */
  readonly shape: readonly number[]
  /** conv: height and width. */
  readonly kernel?: readonly number[]
  readonly stride?: readonly number[]
  readonly padding?: readonly number[]
  readonly groups?: number
  /** conv, linear, norm: whether there is one. */
  readonly bias?: boolean
  /** relu, any elementwise map: whether it maps 0 to 0. */
  readonly zero?: boolean
  /** concat: along which dimension. */
  readonly dim?: number
  /** select: the channels taken, in order. */
  readonly index?: readonly number[]
  /** opaque: what was not understood, and which layer it is where it is one that has to stay as it is. */
  readonly why?: string
  readonly as?: 'conv' | 'norm' | 'linear'
}

/** The operations in the order in which they run. */
export interface ModelGraph {
  readonly nodes: readonly GraphNode[]
}

/** What stays of one layer. Indices count the channels (features of a linear layer) of the layer before the removal. */
export interface LayerWidths {
  /** Input channels that stay; all of them when absent. */
  readonly in?: readonly number[]
  /** Output channels that stay (a norm's channels); all of them when absent. */
  readonly out?: readonly number[]
  /** The tensor before the layer is wider than that: its channels are selected first. */
  readonly select?: boolean
  /** The output is zero, or nobody reads it: zeros take the layer's place. */
  readonly zero?: boolean
}

/** Which channels of which layers stay, as `model.narrow` carries it out. */
export interface Widths {
  readonly version: 1
  /** By the dotted name of the layer. */
  readonly layers: Readonly<Record<string, LayerWidths>>
  /** Another plan, for the network that this one gives. */
  readonly then?: Widths
}
