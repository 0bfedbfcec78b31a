import { EnumField, IntField } from '../../../platform/http/index.js';

/** Browsers show these, and nothing in them can run: no SVG, no HTML. */
const CONTENT_TYPES = ['image/jpeg', 'image/png', 'image/webp'];
const LARGEST = 10 * 1024 * 1024;

/** The file of a picture, as its owner announces it. */
export class PictureFileDto {
  @EnumField(CONTENT_TYPES)
  contentType!: string;

  @IntField({ min: 1, max: LARGEST, description: 'In bytes.', example: 48_213 })
  size!: number;
}
