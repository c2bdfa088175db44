import eu.europa.esig.dss.model.InMemoryDocument;
import eu.europa.esig.dss.simplereport.SimpleReport;
import eu.europa.esig.dss.spi.DSSUtils;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.spi.x509.CommonTrustedCertificateSource;
import eu.europa.esig.dss.validation.SignedDocumentValidator;
import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Arrays;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignedData;
import org.bouncycastle.cms.SignerInformation;
import org.bouncycastle.cms.SignerInformationVerifier;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;
import org.bouncycastle.tsp.TSPException;
import org.bouncycastle.tsp.TimeStampToken;
import org.bouncycastle.tsp.ers.ERSByteData;
import org.bouncycastle.tsp.ers.ERSEvidenceRecord;
import org.bouncycastle.tsp.ers.ERSException;
import org.bouncycastle.util.Selector;

/**
 * Validates evidence packages with others' libraries, offline: the EU's DSS, and Bouncy Castle.
 *
 * <p>Arguments: files of trusted certificates (PEM, their names end so), then packages; <code>--at TIME</code> (ISO 8601)
 * for another time than now. For each signature, time-stamp and evidence record one line on standard output, its parts
 * parted by tabs: package, library, file, indication, sub-indication, format. Why something is not passed goes to standard
 * error.
 */
public final class EvidenceCheck {
  private static final String TIMESTAMP = "META-INF/timestamp.tst";
  private static final String MANIFEST = "META-INF/ASiCManifest.xml";
  private static final String RECORD = "META-INF/evidencerecord.ers";
  private static final BouncyCastleProvider BOUNCY_CASTLE = new BouncyCastleProvider();

  public static void main(String[] arguments) throws Exception {
    CommonTrustedCertificateSource trusted = new CommonTrustedCertificateSource();
    Date at = new Date();
    for (int each = 0; each < arguments.length; each++) {
      if (arguments[each].equals("--at")) {
        at = Date.from(Instant.parse(arguments[++each]));
      } else if (arguments[each].endsWith(".pem")) {
        trust(trusted, Files.readAllBytes(Path.of(arguments[each])));
      } else {
        check(arguments[each], trusted, at);
      }
    }
  }

  private static void trust(CommonTrustedCertificateSource trusted, byte[] pem) throws Exception {
    for (var certificate : CertificateFactory.getInstance("X.509").generateCertificates(new ByteArrayInputStream(pem))) {
      trusted.addCertificate(DSSUtils.loadCertificate(((X509Certificate) certificate).getEncoded()));
    }
  }

  private static void check(String path, CommonTrustedCertificateSource trusted, Date at) throws Exception {
    byte[] whole = Files.readAllBytes(Path.of(path));
    Map<String, byte[]> files = unzipped(whole);
    if (files.containsKey(TIMESTAMP)) {
      dss(path, "package", whole, trusted, at);
      bouncyCastleTimestamp(path, files);
    }
    if (files.containsKey(RECORD)) {
      bouncyCastleRecord(path, files);
    }
    for (Map.Entry<String, byte[]> file : files.entrySet()) {
      if (file.getKey().endsWith(".asics")) {
        dss(path, file.getKey(), file.getValue(), trusted, at);
        bouncyCastleSignature(path, file.getKey(), unzipped(file.getValue()));
      }
    }
  }

  /** By DSS: the container's signatures, time-stamps and their certificates' chains, asking nobody. */
  private static void dss(String path, String name, byte[] data, CommonTrustedCertificateSource trusted, Date at) {
    SignedDocumentValidator validator = SignedDocumentValidator.fromDocument(new InMemoryDocument(data, name));
    CommonCertificateVerifier verifier = new CommonCertificateVerifier();
    verifier.setTrustedCertSources(trusted);
    validator.setCertificateVerifier(verifier);
    validator.setValidationTime(at);
    SimpleReport report = validator.validateDocument().getSimpleReport();
    Map<String, String> found = new LinkedHashMap<>();
    report.getEvidenceRecordIdList().forEach(id -> found.put(id, "evidence-record"));
    report.getSignatureIdList().forEach(id -> found.put(id, "" + report.getSignatureFormat(id)));
    report.getTimestampIdList().forEach(id -> found.put(id, "timestamp"));
    found.forEach((id, format) -> {
      line(path, "dss", name, report.getIndication(id), report.getSubIndication(id), format);
      report.getAdESValidationErrors(id).forEach(message -> System.err.println(name + ": " + message.getValue()));
    });
  }

  /** By Bouncy Castle: that the signature is the carried certificate's, over these bytes. */
  private static void bouncyCastleSignature(String path, String name, Map<String, byte[]> files) throws Exception {
    byte[] statement = files.get("statement");
    CMSSignedData signed = new CMSSignedData(new CMSProcessableByteArray(statement), files.get("META-INF/signature.p7s"));
    for (SignerInformation signer : signed.getSignerInfos()) {
      boolean holds;
      try {
        holds = signer.verify(verifier(signed.getCertificates().getMatches(certificateOf(signer)).iterator().next()));
      } catch (org.bouncycastle.cms.CMSException refused) {
        System.err.println(name + ": " + refused.getMessage());
        holds = false;
      }
      line(path, "bouncycastle", name, holds ? "PASSED" : "FAILED", null, "signature");
    }
  }

  /** By Bouncy Castle: that the token is its carried certificate's, over the manifest. */
  private static void bouncyCastleTimestamp(String path, Map<String, byte[]> files) throws Exception {
    TimeStampToken token = new TimeStampToken(new CMSSignedData(files.get(TIMESTAMP)));
    byte[] digest = MessageDigest.getInstance("SHA-256").digest(files.get(MANIFEST));
    boolean same = Arrays.equals(digest, token.getTimeStampInfo().getMessageImprintDigest());
    boolean holds = same;
    try {
      token.validate(verifier(token.getCertificates().getMatches(selector(token.getSID())).iterator().next()));
    } catch (TSPException refused) {
      holds = false;
    }
    line(path, "bouncycastle", TIMESTAMP, holds ? "PASSED" : "FAILED", null, "timestamp");
  }

  /** By Bouncy Castle: that the evidence record is of the checkpoint and its time-stamp. */
  private static void bouncyCastleRecord(String path, Map<String, byte[]> files) throws Exception {
    boolean holds = true;
    try {
      var digests = new JcaDigestCalculatorProviderBuilder().setProvider(BOUNCY_CASTLE).build();
      ERSEvidenceRecord record = new ERSEvidenceRecord(files.get(RECORD), digests);
      record.validate(verifier(record.getSigningCertificate()));
      for (Map.Entry<String, byte[]> file : files.entrySet()) {
        if (file.getKey().startsWith("tokens/")) {
          record.validatePresent(new ERSByteData(file.getValue()), new Date());
        }
      }
    } catch (ERSException | TSPException refused) {
      System.err.println(RECORD + ": " + refused.getMessage());
      holds = false;
    }
    line(path, "bouncycastle", RECORD, holds ? "PASSED" : "FAILED", null, "evidence-record");
  }

  private static Selector<X509CertificateHolder> certificateOf(SignerInformation signer) {
    return selector(signer.getSID());
  }

  @SuppressWarnings("unchecked")
  private static Selector<X509CertificateHolder> selector(Object id) {
    return (Selector<X509CertificateHolder>) id;
  }

  private static SignerInformationVerifier verifier(X509CertificateHolder certificate) throws Exception {
    return new JcaSimpleSignerInfoVerifierBuilder().setProvider(BOUNCY_CASTLE).build(certificate);
  }

  private static Map<String, byte[]> unzipped(byte[] data) throws Exception {
    Map<String, byte[]> files = new LinkedHashMap<>();
    try (ZipInputStream zip = new ZipInputStream(new ByteArrayInputStream(data))) {
      for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
        files.put(entry.getName(), zip.readAllBytes());
      }
    }
    return files;
  }

  private static void line(String path, String by, String name, Object indication, Object sub, Object format) {
    System.out.println(String.join("\t", path, by, name, "" + indication, sub == null ? "" : "" + sub, "" + format));
  }
}
