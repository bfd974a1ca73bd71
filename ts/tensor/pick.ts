/** Some images of a data set, with their labels. */
import type { DeviceTensor } from './device_tensor'
import { use } from './functions'
import { plan } from './plan'
import type { Dataset, Session } from './session'

/** The images `[n, …]` and labels `[n]` at these positions, in their order, as tensors of their own: the caller frees them. */
export function pickImages(
  session: Session,
  { images, labels }: Pick<Dataset, 'images' | 'labels'>,
  positions: readonly number[],
): { images: DeviceTensor; labels: DeviceTensor } {
  const index = session.put(BigInt64Array.from(positions, BigInt), [positions.length])
  const pick = plan(
    'pick images',
    () => ({ images: use(images).indexSelect(0, index), labels: use(labels).indexSelect(0, index) }),
    { session },
  )
  const picked = pick()
  index.free()
  return picked
}
