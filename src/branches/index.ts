// The door of gradus/branches: any step of a training again, and other futures from there.

export {
  type Followed,
  type FollowOptions,
  follow,
  type Link,
  type LinkFit,
  type LinkLine,
  linkTo,
  readLink,
} from "./link.ts";
export {
  type BranchEdit,
  type BranchOptions,
  branches,
  type Place,
  type Timeline,
  type TimelineOptions,
  type TimelineSnapshot,
} from "./timeline.ts";
export type { TimelineTrainer } from "./traveller.ts";
