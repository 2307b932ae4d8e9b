// The numbers of a convolution beside those of its window.
override PAD_TOP: i32;  // below 0 where taps go backwards
override PAD_LEFT: i32;
override CHANNELS: u32;  // of the images, in one group
override FILTERS: u32;
override DILATION_HEIGHT: i32;  // from tap to tap
override DILATION_WIDTH: i32;
