'use strict';
// Writes the print job of a foreign encoder on standard output.
// node encode.js receiptline|point-of-sale
const jobs = {
  receiptline: () => {
    const receiptline = require('receiptline');
    const document = [
      '{width:18,4,9;border:line}',
      'EVERGREEN||',
      '',
      '农夫山泉550ml|×2|￥4.00',
      '维达，抽取式|×1|￥69.90',
      '-',
      'TOTAL||￥73.90',
      '{code:9900123456; option:code128,2,72,hri}',
      '{code:6901285991219; option:ean,2,72,hri}',
      '{code:https://shop.example/r/1; option:qrcode,4,m}',
    ].join('\n');
    const text = receiptline.transform(document, { command: 'escpos', cpl: 32, encoding: 'gb18030' });
    return Buffer.from(text, 'binary');
  },
  'point-of-sale': () => {
    const loaded = require('@point-of-sale/receipt-printer-encoder');
    const Encoder = loaded.default || loaded;
    const encoder = new Encoder({ language: 'esc-pos', columns: 32, feedBeforeCut: 4 });
    return Buffer.from(
      encoder
        .initialize()
        .codepage('cp858')
        .align('center')
        .bold(true)
        .size(2, 2)
        .line('EVERGREEN')
        .size(1, 1)
        .bold(false)
        .align('left')
        .line('Café crème  3.50 €')
        .underline(true)
        .line('Total £5.00')
        .underline(false)
        .rule()
        .table(
          [
            { width: 20, align: 'left' },
            { width: 12, align: 'right' },
          ],
          [['Tea', '2.00'], ['Größe', '1.50']],
        )
        .barcode('6901285991219', 'ean13', { height: 60, text: false })
        .barcode('{B12345678', 'code128', { height: 60 })
        .qrcode('https://shop.example/r/1', { model: 2, size: 4, errorlevel: 'm' })
        .cut('partial')
        .encode(),
    );
  },
};
process.stdout.write(jobs[process.argv[2]]());
