import eu.europa.esig.dss.diagnostic.EvidenceRecordWrapper;
import eu.europa.esig.dss.diagnostic.TimestampWrapper;
import eu.europa.esig.dss.model.DSSDocument;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.spi.DSSUtils;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.spi.x509.CommonTrustedCertificateSource;
import eu.europa.esig.dss.validation.SignedDocumentValidator;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Date;
import java.util.List;
import java.util.stream.Collectors;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;
import org.bouncycastle.tsp.TSPException;
import org.bouncycastle.tsp.ers.ERSByteData;
import org.bouncycastle.tsp.ers.ERSEvidenceRecord;
import org.bouncycastle.tsp.ers.ERSException;

/**
 * Looks at an evidence record (RFC 4998) with others' libraries, offline: the EU's DSS, and Bouncy Castle.
 *
 * <p>Arguments: the root that is trusted (PEM), then folders, each with a record <code>record.ers</code> and the objects that
 * it is of. For each folder and library one line, its parts parted by tabs: folder, library, what was found.
 */
public final class RecordCheck {
  private static final BouncyCastleProvider BOUNCY_CASTLE = new BouncyCastleProvider();

  public static void main(String[] arguments) throws Exception {
    for (String folder : Arrays.asList(arguments).subList(1, arguments.length)) {
      File record = new File(folder, "record.ers");
      File[] objects = new File(folder).listFiles((at, name) -> !name.equals("record.ers"));
      Arrays.sort(objects);
      System.out.println(folder + "\tdss\t" + dss(record, objects, new File(arguments[0])));
      System.out.println(folder + "\tbouncycastle\t" + bouncyCastle(record, objects));
    }
  }

  /** By DSS: objects that are covered and whole, then time-stamps whose signature and imprint hold. */
  private static String dss(File record, File[] objects, File root) {
    SignedDocumentValidator validator = SignedDocumentValidator.fromDocument(new FileDocument(record));
    CommonTrustedCertificateSource roots = new CommonTrustedCertificateSource();
    roots.addCertificate(DSSUtils.loadCertificate(root));
    CommonCertificateVerifier verifier = new CommonCertificateVerifier();
    verifier.setTrustedCertSources(roots);
    validator.setCertificateVerifier(verifier);
    List<DSSDocument> contents = Arrays.stream(objects).map(FileDocument::new).collect(Collectors.toList());
    validator.setDetachedContents(contents);
    EvidenceRecordWrapper found = validator.validateDocument().getDiagnosticData().getEvidenceRecords().get(0);
    long whole = found.getDigestMatchers().stream().filter(each -> each.isDataFound() && each.isDataIntact()).count();
    List<TimestampWrapper> stamps = found.getTimestampList();
    long holding = stamps.stream().filter(each -> each.isSignatureValid() && each.isMessageImprintDataIntact()).count();
    return whole + " of " + objects.length + " objects, " + holding + " of " + stamps.size() + " time-stamps";
  }

  /** By Bouncy Castle: objects that the record has, if its last time-stamp is over all before it. */
  private static String bouncyCastle(File file, File[] objects) throws Exception {
    JcaDigestCalculatorProviderBuilder digests = new JcaDigestCalculatorProviderBuilder().setProvider(BOUNCY_CASTLE);
    ERSEvidenceRecord record;
    try {
      record = new ERSEvidenceRecord(Files.readAllBytes(file.toPath()), digests.build());
      JcaSimpleSignerInfoVerifierBuilder verifier = new JcaSimpleSignerInfoVerifierBuilder().setProvider(BOUNCY_CASTLE);
      record.validate(verifier.build(record.getSigningCertificate()));
    } catch (ERSException | TSPException error) {
      return "refused";
    }
    int present = 0;
    for (File object : objects) {
      try {
        record.validatePresent(new ERSByteData(Files.readAllBytes(Path.of(object.getPath()))), new Date());
        present++;
      } catch (ERSException error) {
        // it is not, which the count says
      }
    }
    return present + " of " + objects.length + " objects";
  }
}
