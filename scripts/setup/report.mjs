// Counts the tests in vitest's JSON report.

/**
 * @param {{testResults: {status: string, assertionResults: {status: string}[]}[]}} report
 * @param {number} code vitest's exit code
 * @returns {{passed: number, failed: number, skipped: number}} a file that failed outside its
 *   tests (an import, a hook, a crash) counts as one failure, and so does an exit code that no
 *   failed test explains
 */
export function countTests(report, code) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const file of report.testResults) {
    const failedBefore = counts.failed;
    for (const { status } of file.assertionResults) {
      if (status === 'passed') counts.passed += 1;
      else if (status === 'failed') counts.failed += 1;
      else counts.skipped += 1;
    }
    if (file.status === 'failed' && counts.failed === failedBefore) counts.failed += 1;
  }
  if (code !== 0 && counts.failed === 0) counts.failed += 1;
  return counts;
}
