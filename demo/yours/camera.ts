// The camera as a place to take pictures from, in the place of the pad, where the browser and its user allow it.

import { find } from "../page/element.ts";
import { squareOf } from "./pixels.ts";

export class Camera {
  readonly #video = find("#video", HTMLVideoElement);

  get isOn(): boolean {
    return !this.#video.hidden;
  }

  /** Asks for the camera, or lets it go. Throws what to do where it is not to be had. */
  async toggle(): Promise<void> {
    const on = !this.isOn;
    if (on) {
      try {
        this.#video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
      } catch (cause) {
        throw new Error(
          `The camera is not to be had (${(cause as Error).message}). Allow it in the browser's settings for this page, or drop pictures.`,
          { cause },
        );
      }
    } else this.#stop();
    this.#video.hidden = !on;
    find("#pad", HTMLCanvasElement).hidden = on;
  }

  /** What it sees now, or undefined before its first picture. */
  picture(): HTMLCanvasElement | undefined {
    const { videoWidth, videoHeight } = this.#video;
    return videoWidth === 0 ? undefined : squareOf(this.#video, videoWidth, videoHeight);
  }

  #stop(): void {
    const stream = this.#video.srcObject;
    if (stream instanceof MediaStream) for (const track of stream.getTracks()) track.stop();
    this.#video.srcObject = null;
  }
}
