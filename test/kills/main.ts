// npm run kills -- [KILLS] [PLACES]: ends writers of checkpoints so often, in each place, and counts what was left: the
// old one, the new one, anything else. Default: 200 kills at file,opfs,indexedDb.

import { isWhole, type Kill, killWhileWriting, type Place, places } from "./kill.ts";

const [kills = "200", chosen = places.join()] = process.argv.slice(2);
for (const place of chosen.split(",") as Place[]) {
  if (!places.includes(place)) throw new Error(`there is no ${place}. Give some of ${places.join(",")}.`);
  const all: Kill[] = [];
  await killWhileWriting(place, Number(kills), (kill) => {
    all.push(kill);
    if (!isWhole(kill)) console.error(`${place}: ${kill.written} was written, and there is ${kill.found}`);
  });
  const old = all.filter(({ written, found }) => found === written).length;
  const other = all.filter((kill) => !isWhole(kill)).length;
  console.log(
    `${place}: ${all.length} kills left ${old} old ones, ${all.length - old - other} new ones, ${other} others`,
  );
  if (other > 0) process.exitCode = 1;
}
